"""When a deployed stack deletes itself, and a later time for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from centralized_ml_api.aws.cdk_failure import build_aws_error
from centralized_ml_api.aws.deployed import load_resources
from centralized_ml_api.aws.schedule_expression import render_expression
from centralized_ml_api.errors import DeployError

if TYPE_CHECKING:
    from datetime import datetime

    from centralized_ml_api.aws.clients import AwsClients
    from centralized_ml_api.aws.target import AwsTarget

SCHEDULE = "AWS::Scheduler::Schedule"

_KEPT = ("FlexibleTimeWindow", "ScheduleExpressionTimezone", "Target", "Description", "State")
"""What an update would reset to its default where it does not say it again.

Source: https://docs.aws.amazon.com/scheduler/latest/APIReference/API_UpdateSchedule.html
"""


def extend(target: AwsTarget, clients: AwsClients, until: datetime) -> None:
    """Moves the instant at which the stack deletes itself.

    Raises:
        DeployError: nothing is deployed, it has no end, or AWS refused.
    """
    try:
        name = _find_schedule(target, clients)
        _move(clients.client("scheduler"), name, until)
    except (BotoCoreError, ClientError) as error:
        raise build_aws_error(f"the end of {target.stack} cannot be moved", error) from error


def _find_schedule(target: AwsTarget, clients: AwsClients) -> str:
    resources = load_resources(clients.client("cloudformation"), target.stack)
    found = [one.physical_id for one in resources if one.type == SCHEDULE]
    if found:
        return found[0].rpartition("|")[2]
    what = "has no end yet" if resources else "is not deployed"
    raise DeployError(f"{target.stack} {what} in {target.region}", fix="mlapi deploy")


def _move(scheduler: Any, name: str, until: datetime) -> None:
    schedule = scheduler.get_schedule(Name=name)
    kept = {key: schedule[key] for key in _KEPT if schedule.get(key)}
    scheduler.update_schedule(Name=name, ScheduleExpression=render_expression(until), **kept)
