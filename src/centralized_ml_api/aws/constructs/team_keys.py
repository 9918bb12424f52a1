"""The keys of teams: a key and a usage plan each, their end, and the function that passes keys on.

API Gateway makes the values of the keys; no template holds one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aws_cdk import CfnResource
from constructs import Construct

from centralized_ml_api.api.error_shape import NOT_ALLOWED, PAUSED
from centralized_ml_api.api.event_end import render_instant
from centralized_ml_api.api.event_start import build_start_headers, not_started
from centralized_ml_api.api.notices import PAUSE_HEADERS, build_pause_error
from centralized_ml_api.aws.constructs.assets import ship_code
from centralized_ml_api.aws.constructs.lambda_function import (
    FunctionAddress,
    build_caller,
    build_function,
    build_function_role,
)
from centralized_ml_api.aws.constructs.resources import (
    allow,
    build_log_group,
    build_role,
    only_from_this_account,
    role_arn,
)
from centralized_ml_api.aws.stack.contract import (
    NOTHING_PAUSED,
    PAUSED_VARIABLE,
    STACK_TAG,
    TEAM_TAG,
    key_tags,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from centralized_ml_api.api.error_shape import ApiError
    from centralized_ml_api.aws.constructs.http_api import HttpApi
    from centralized_ml_api.aws.constructs.resources import Statement
    from centralized_ml_api.aws.constructs.stack_context import StackContext
    from centralized_ml_api.plan.aws.event import AccessPlan, TeamAccess
    from centralized_ml_api.plan.event import TeamPlan

KEY_CODE = Path(__file__).with_name("key_code")
RUNTIME = "python3.14"
"""Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html"""

TIMEOUT_SECONDS = 10
"""A look-up of keys takes a second, and seven at most where API Gateway throttles it; without lists of models
there is none, and a call takes a millisecond."""

MEMORY_MIB = 256

DIRECT_CHARACTERS = 300
"""How much of the function's 4 KB of variables the names of entries may take."""


class TeamKeys(Construct):
    """`ids` are API Gateway's ids of the keys, by the names of the teams; the values must be asked for.

    API Gateway refuses a second `CreateUsagePlanKey` while one is under way in the account and region, and
    changes one usage plan every 20 seconds. So each team waits for the one before it. That order is no
    property of a resource: a team that is added or removed in the middle changes no other one.
    Source: https://github.com/serverless/serverless/issues/12065 (the words of AWS's support) and
    https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html

    Each team has a plan of its own, though a plan limits each key by itself: a key can be in only one plan of
    a stage, so a team whose limits change could not move to another plan in an update.
    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html
    """

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
        self.last: CfnResource | None = None
        self.ids = {access.name: self._build(access.team, api) for access in teams}

    def _build(self, team: TeamPlan, api: HttpApi) -> str:
        scope = Construct(self, team.name)
        key = build_key(scope, "Key", team.name, self._stack_name)
        plan = build_usage_plan(scope, "Plan", team.name, team, api)
        joined = join_plan(scope, "PlanKey", key, plan)
        if self.last:
            key.add_resource_dependency(self.last)
        plan.add_resource_dependency(key)
        self.last = joined
        return key.ref


def build_key(scope: Construct, construct_id: str, name: str, stack_name: str) -> CfnResource:
    """Builds a key with the tags that say whose it is; API Gateway makes its value.

    Args:
        scope: The construct that holds it.
        construct_id: Its id there.
        name: That of the team, or of the place.
        stack_name: That of the stack.
    """
    properties = {
        "Enabled": True,
        "Name": name,
        "Tags": [{"Key": key, "Value": value} for key, value in key_tags(stack_name, name).items()],
    }
    return CfnResource(scope, construct_id, type="AWS::ApiGateway::ApiKey", properties=properties)


def join_plan(scope: Construct, construct_id: str, key: CfnResource, plan: CfnResource) -> CfnResource:
    """Puts a key into a usage plan.

    Args:
        scope: The construct that holds what does it.
        construct_id: Its id there.
        key: The key.
        plan: The plan.
    """
    properties = {"KeyId": key.ref, "KeyType": "API_KEY", "UsagePlanId": plan.ref}
    return CfnResource(scope, construct_id, type="AWS::ApiGateway::UsagePlanKey", properties=properties)


def build_usage_plan(
    scope: Construct, construct_id: str, name: str, team: TeamPlan, api: HttpApi
) -> CfnResource:
    """Builds a usage plan: a quota's day begins at midnight UTC; limits apply to each key of the plan.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html

    Args:
        scope: The construct that holds it.
        construct_id: Its id there.
        name: Its own.
        team: Whose limits it has.
        api: What its keys open.
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
    properties = {"UsagePlanName": name, "ApiStages": stages, **limits}
    return CfnResource(scope, construct_id, type="AWS::ApiGateway::UsagePlan", properties=properties)


class KeyEnds(Construct):
    """What ends replaced keys after their grace period; `role` may change only this stack's keys.

    `mlapi keys rotate` makes the schedules themselves. They are deleted with their group, and it with the
    stack.
    Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-group.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, stack_context: StackContext) -> None:
        super().__init__(scope, construct_id)
        CfnResource(self, "Group", type="AWS::Scheduler::ScheduleGroup", properties={})
        keys = f"arn:{stack_context.partition}:apigateway:{stack_context.region}::/apikeys/*"
        own = {"StringEquals": {f"aws:ResourceTag/{STACK_TAG}": stack_context.stack_name}}
        role = build_role(
            self,
            "Role",
            service="scheduler.amazonaws.com",
            description="Ends keys that were replaced",
            condition=only_from_this_account(),
            inline={"End": [allow(["apigateway:PATCH"], [keys], own)]},
        )
        self.role = role_arn(role).to_string()


class KeyFunction(Construct):
    """The function that passes keys on to API Gateway; its code is the folder `key_code`.

    `address` is how it is called, `caller` the ARN of the role by which API Gateway calls it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        access: AccessPlan,
        stack_context: StackContext,
    ) -> None:
        super().__init__(scope, construct_id)
        log = build_log_group(self, "Log", stack_context.log_retention_days)
        looks_up = access.refused or access.starts or access.names_team
        role = build_function_role(
            self,
            description="The function that gives keys on",
            log=log,
            statements=_may_look_up_keys(stack_context) if looks_up else (),
            managed=stack_context.network_policies.functions,
        )
        function = build_function(
            self,
            description="Gives the keys of callers on to API Gateway, which checks them",
            code=ship_code(KEY_CODE, stack_context),
            handler="index.lambda_handler",
            runtime=RUNTIME,
            timeout_seconds=TIMEOUT_SECONDS,
            memory_mib=MEMORY_MIB,
            environment={
                "REFUSED": json.dumps(access.refused),
                "OWN_TAG": json.dumps([STACK_TAG, stack_context.stack_name]),
                "TEAM_TAG": TEAM_TAG,
                PAUSED_VARIABLE: NOTHING_PAUSED,
                **({"WORDS": json.dumps(word_refusals(access.starts))} if access.says_why else {}),
                **({"DIRECT": render_direct(access.direct)} if access.direct else {}),
                **({"NAMES_TEAM": "yes"} if access.names_team else {}),
            },
            role=role,
            log=log,
        )
        self.address = FunctionAddress(function.ref, function.get_att("Arn"))
        self.caller = build_caller(self, self.address.arn.to_string(), description="Asks whose key it is")


def word_refusals(starts: datetime | None) -> dict[str, Any]:
    """Builds what the function says of a refused key: `before` the start, `after` it, while it is `paused`.

    `saying` has a place for an organizer's words.
    """
    words: dict[str, Any] = {
        "after": _word(NOT_ALLOWED),
        "paused": {**_word(PAUSED), "retryAfter": dict(PAUSE_HEADERS)["retry-after"]},
        "saying": build_pause_error("{words}").message,
    }
    if starts:
        (_, retry_after), _ = build_start_headers(starts)
        words |= {
            "at": render_instant(starts),
            "before": {**_word(not_started(starts)), "retryAfter": retry_after},
        }
    return words


def render_direct(names: Iterable[str]) -> str:
    """Renders the entries that API Gateway calls itself; `*` where they would leave no room for pauses.

    With that, the function denies whole methods, those of entries that stream too.
    """
    rendered = ",".join(names)
    return rendered if len(rendered) <= DIRECT_CHARACTERS else "*"


def _word(error: ApiError) -> dict[str, str]:
    return {"type": error.type, "code": error.code, "message": error.message}


def _may_look_up_keys(stack_context: StackContext) -> Iterable[Statement]:
    """Allows listing the keys of the account and region: one request, and no narrower one would do.

    A list cannot be limited by tags, and asking for each key alone would take minutes of API Gateway's rate
    limit. ADR 0024 weighs this.
    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/security_iam_service-with-iam.html
    """
    service = f"arn:{stack_context.partition}:apigateway:{stack_context.region}::"
    yield allow(["apigateway:GET"], [f"{service}/apikeys"])
