"""A key and a usage plan for each team. API Gateway makes the values of the keys; no template holds one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import CfnResource
from constructs import Construct

from centralized_ml_api.aws.tags import key_tags

if TYPE_CHECKING:
    from collections.abc import Iterable

    from centralized_ml_api.aws.constructs.http_api import HttpApi
    from centralized_ml_api.plan.aws.event import TeamAccess
    from centralized_ml_api.plan.event import TeamPlan


class TeamKeys(Construct):
    """`ids` are API Gateway's ids of the keys by the names of the teams; the values have to be asked for."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        teams: Iterable[TeamAccess],
        api: HttpApi,
        stack_name: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self._stack_name = stack_name
        self.ids = {one.name: self._build(one.team, api) for one in teams}

    def _build(self, team: TeamPlan, api: HttpApi) -> str:
        whole = Construct(self, team.name)
        key = _build_key(whole, team, self._stack_name)
        plan = CfnResource(
            whole, "Plan", type="AWS::ApiGateway::UsagePlan", properties=_plan_properties(team, api)
        )
        CfnResource(
            whole,
            "PlanKey",
            type="AWS::ApiGateway::UsagePlanKey",
            properties={"KeyId": key.ref, "KeyType": "API_KEY", "UsagePlanId": plan.ref},
        )
        return key.ref


def _build_key(scope: Construct, team: TeamPlan, stack_name: str) -> CfnResource:
    tags = key_tags(stack_name, team.name)
    return CfnResource(
        scope,
        "Key",
        type="AWS::ApiGateway::ApiKey",
        properties={
            "Enabled": True,
            "Name": team.name,
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        },
    )


def _plan_properties(team: TeamPlan, api: HttpApi) -> dict[str, Any]:
    """A quota's day begins at midnight UTC. Limits hold for each key of the plan.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html
    """
    limits: dict[str, Any] = {}
    if team.throttle:
        limits["Throttle"] = {
            "RateLimit": team.throttle.requests_per_second,
            "BurstLimit": team.throttle.burst,
        }
    if team.requests_per_day is not None:
        limits["Quota"] = {"Limit": team.requests_per_day, "Period": "DAY"}
    stages = [{"ApiId": api.id, "Stage": api.stage}]
    return {"UsagePlanName": team.name, "ApiStages": stages, **limits}
