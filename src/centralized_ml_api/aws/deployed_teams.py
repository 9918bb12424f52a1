"""The teams of a stack that is deployed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from centralized_ml_api.aws.deployed import load_outputs, load_physical_ids, load_template
from centralized_ml_api.aws.outputs import KEY_ENDS_OUTPUT
from centralized_ml_api.errors import DeployError

_PLAN = "AWS::ApiGateway::UsagePlan"
_GROUP = "AWS::Scheduler::ScheduleGroup"


@dataclass(frozen=True, slots=True)
class DeployedTeams:
    """`plans` are the ids of the usage plans by the names of the teams, in the order of the config.

    `schedule_group` and `ending_role`, an ARN, are what ends replaced keys.
    """

    plans: Mapping[str, str]
    schedule_group: str
    ending_role: str


def load_deployed_teams(cloudformation: Any, stack: str) -> DeployedTeams:
    """The teams of the stack.

    Raises:
        DeployError: there is no such stack, or it has no teams.
        botocore.exceptions.ClientError: AWS refused.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    template = load_template(cloudformation, stack)
    if template is None:
        raise DeployError(f"there is no stack {stack}", fix="mlapi deploy")
    ids = load_physical_ids(cloudformation, stack, _PLAN)
    if not ids:
        raise DeployError(
            f"{stack} has no teams: everybody may call it",
            fix="add `event.teams` to the config; mlapi deploy",
        )
    plans = {
        one["Properties"]["UsagePlanName"]: ids[name]
        for name, one in template["Resources"].items()
        if one["Type"] == _PLAN
    }
    (group,) = load_physical_ids(cloudformation, stack, _GROUP).values()
    return DeployedTeams(plans, group, load_outputs(cloudformation, stack)[KEY_ENDS_OUTPUT])
