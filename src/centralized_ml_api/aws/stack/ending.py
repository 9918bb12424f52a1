"""The end of a deployed event: the schedules that delete its endpoints and its stack, read and moved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from centralized_ml_api.aws.stack.contract import DELETE_STACK, END_RATE, stack_start
from centralized_ml_api.aws.stack.deployed_stack import SCHEDULE

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from centralized_ml_api.aws.clients import AwsClients
    from centralized_ml_api.aws.stack.deployed_stack import StackResource

_ABSENT = "ResourceNotFoundException"
"""The error of EventBridge Scheduler for a schedule that it does not know.

Source: https://docs.aws.amazon.com/scheduler/latest/APIReference/API_GetSchedule.html
"""

_KEPT = ("FlexibleTimeWindow", "ScheduleExpressionTimezone", "Target", "Description")
"""What an update of a schedule resets to its default unless it is said again.

Source: https://docs.aws.amazon.com/scheduler/latest/APIReference/API_UpdateSchedule.html
"""


@dataclass(frozen=True, slots=True)
class Ending:
    """The schedules of a stack, as EventBridge describes them, by their names: `whole` deletes the stack."""

    whole: Mapping[str, Mapping[str, Any]]
    endpoints: Mapping[str, Mapping[str, Any]]

    @property
    def start(self) -> datetime:
        """The end of the event: when the first of them begins."""
        starts: list[datetime] = [schedule["StartDate"] for schedule in self._all.values()]
        return min(starts)

    @property
    def latest(self) -> datetime:
        """The latest end that one of them belongs to: where an `extend` that failed in the middle led."""
        first = self.start
        delay = stack_start(first, has_endpoints=bool(self.endpoints)) - first
        stacks: list[datetime] = [schedule["StartDate"] - delay for schedule in self.whole.values()]
        endpoints: list[datetime] = [schedule["StartDate"] for schedule in self.endpoints.values()]
        return max([*stacks, *endpoints])

    @property
    def is_consistent(self) -> bool:
        """Whether all are on and belong to the same end: an `extend` may have failed in the middle."""
        starts = self._starts(self.start)
        return all(
            schedule["StartDate"] == starts[name] and schedule.get("State", "ENABLED") == "ENABLED"
            for name, schedule in self._all.items()
        )

    @property
    def _all(self) -> dict[str, Mapping[str, Any]]:
        return {**self.endpoints, **self.whole}

    def _starts(self, ends: datetime) -> dict[str, datetime]:
        whole = stack_start(ends, has_endpoints=bool(self.endpoints))
        return {**dict.fromkeys(self.endpoints, ends), **dict.fromkeys(self.whole, whole)}

    def move(self, scheduler: Any, ends: datetime) -> None:
        """Moves the end of the endpoints and that of the stack, and switches on what somebody switched off.

        To a later end, that of the stack moves first, which deletes everything; to an earlier one, last. So a
        move that fails in the middle never deletes the stack before its endpoints.

        Raises:
            botocore.exceptions.ClientError: AWS refused; those before are moved.
            botocore.exceptions.BotoCoreError: AWS could not be asked.
        """
        starts = self._starts(ends)
        is_later = any(starts[name] > schedule["StartDate"] for name, schedule in self.whole.items())
        order = (*self.whole, *self.endpoints) if is_later else (*self.endpoints, *self.whole)
        for name in order:
            schedule, start = self._all[name], starts[name]
            kept = {key: schedule[key] for key in _KEPT if schedule.get(key)}
            scheduler.update_schedule(
                Name=name, ScheduleExpression=END_RATE, StartDate=start, State="ENABLED", **kept
            )


def load_ending(clients: AwsClients, resources: Iterable[StackResource]) -> Ending | None:
    """Returns the end of a stack with these resources, None where it has none.

    CloudFormation lists resources that it has deleted, and those that have no name yet; they end nothing.
    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackResources.html

    Raises:
        botocore.exceptions.ClientError: AWS refused.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    scheduler = clients.client("scheduler")
    names = [each.name for each in resources if each.type == SCHEDULE]
    loaded = {name: _load_schedule(scheduler, name) for name in names if name}
    found = {name: schedule for name, schedule in loaded.items() if schedule}
    if not found:
        return None
    whole = {name for name, each in found.items() if each["Target"]["Arn"].endswith(DELETE_STACK)}
    return Ending(
        {name: schedule for name, schedule in found.items() if name in whole},
        {name: schedule for name, schedule in found.items() if name not in whole},
    )


def _load_schedule(scheduler: Any, name: str) -> Mapping[str, Any] | None:
    """Returns a schedule as EventBridge describes it, None where it is deleted."""
    try:
        schedule: Mapping[str, Any] = scheduler.get_schedule(Name=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != _ABSENT:
            raise
        return None
    return schedule
