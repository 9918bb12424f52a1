"""The gap: `AWS::Scheduler::Schedule` and `ScheduleGroup` are skipped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from moto.core.common_models import CloudFormationModel
from moto.scheduler.models import scheduler_backends

from support.moto_extension.added_resource import AddedResource, Properties

if TYPE_CHECKING:
    from moto.scheduler.models import EventBridgeSchedulerBackend


def close() -> None:
    """Defining the classes is enough: moto looks for subclasses."""


def _backend(account_id: str, region: str) -> EventBridgeSchedulerBackend:
    found: EventBridgeSchedulerBackend = scheduler_backends[account_id][region]
    return found


class Schedule(AddedResource, CloudFormationModel):
    """A schedule of the default group; an update makes it anew under its name."""

    type_name: ClassVar[str] = "AWS::Scheduler::Schedule"

    @classmethod
    def write(cls, name: str, properties: Properties, account_id: str, region: str) -> str:
        """Makes it."""
        backend = _backend(account_id, region)
        backend.schedule_groups["default"].schedules.pop(name, None)
        backend.create_schedule(**_written(properties), name=name)
        return name

    def delete(self, account_id: str, region: str) -> None:
        """Removes it."""
        _backend(account_id, region).delete_schedule(None, self.physical_resource_id)


class ScheduleGroup(AddedResource, CloudFormationModel):
    """A group; its schedules go with it."""

    type_name: ClassVar[str] = "AWS::Scheduler::ScheduleGroup"

    @classmethod
    def write(cls, name: str, properties: Properties, account_id: str, region: str) -> str:
        """Makes it."""
        del properties
        _backend(account_id, region).create_schedule_group(name, [])
        return name

    def delete(self, account_id: str, region: str) -> None:
        """Removes it."""
        _backend(account_id, region).delete_schedule_group(self.physical_resource_id)


def _written(properties: Properties) -> dict[str, Any]:
    return {
        "description": properties.get("Description", ""),
        "end_date": properties.get("EndDate"),
        "flexible_time_window": properties["FlexibleTimeWindow"],
        "group_name": "default",
        "kms_key_arn": properties.get("KmsKeyArn"),
        "schedule_expression": properties["ScheduleExpression"],
        "schedule_expression_timezone": properties.get("ScheduleExpressionTimezone", "UTC"),
        "start_date": properties.get("StartDate"),
        "state": properties.get("State", "ENABLED"),
        "target": properties["Target"],
        "action_after_completion": None,
    }
