"""How a key stops working: now, or at the end of its grace without anybody's doing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from centralized_ml_api.aws.schedule_expression import render_expression

if TYPE_CHECKING:
    from datetime import datetime

    from centralized_ml_api.aws.deployed_teams import DeployedTeams

_TARGET = "arn:{partition}:scheduler:::aws-sdk:apigateway:updateApiKey"
"""Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html"""


def stop_key(gateway: Any, key_id: str) -> None:
    """Disables the key; API Gateway refuses it from then on."""
    change = {"op": "replace", "path": "/enabled", "value": "false"}
    gateway.update_api_key(apiKey=key_id, patchOperations=[change])


def schedule_end(scheduler: Any, teams: DeployedTeams, key_id: str, until: datetime) -> None:
    """Lets AWS disable the key then, once; the schedule removes itself afterwards.

    A key may have several: the first one ends it. Universal targets take names that begin with capitals.
    """
    change = {"Op": "replace", "Path": "/enabled", "Value": "false"}
    scheduler.create_schedule(
        Name=f"key-{key_id}-{until:%Y%m%dT%H%M%S}",
        GroupName=teams.schedule_group,
        ScheduleExpression=render_expression(until),
        ScheduleExpressionTimezone="UTC",
        FlexibleTimeWindow={"Mode": "OFF"},
        ActionAfterCompletion="DELETE",
        Target={
            "Arn": _TARGET.format(partition=teams.ending_role.split(":")[1]),
            "RoleArn": teams.ending_role,
            "Input": json.dumps({"ApiKey": key_id, "PatchOperations": [change]}),
        },
    )
