"""What lets teams join: a key for each place, made at the deploy, and the function that hands them out.

API Gateway makes the values of the keys; the function asks for the one that it hands out. No template, no
table and no log has one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from centralized_ml_api.api.event_end import render_instant
from centralized_ml_api.aws.constructs.assets import ship_files
from centralized_ml_api.aws.constructs.join_function_code import TIMEOUT_SECONDS, load_join_code
from centralized_ml_api.aws.constructs.lambda_function import (
    build_caller,
    build_function,
    build_function_role,
)
from centralized_ml_api.aws.constructs.resources import allow, build_log_group
from centralized_ml_api.aws.constructs.tables import build_table, may_join
from centralized_ml_api.aws.constructs.team_keys import RUNTIME, build_key, build_usage_plan, join_plan
from centralized_ml_api.aws.stack.contract import PLACES_PLAN, STACK_TAG, TEAM_TAG
from centralized_ml_api.plan.aws.event import PLACE_PREFIX

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from aws_cdk import CfnResource

    from centralized_ml_api.aws.constructs.http_api import HttpApi
    from centralized_ml_api.aws.constructs.resources import Statement
    from centralized_ml_api.aws.constructs.stack_context import StackContext
    from centralized_ml_api.plan.aws.event import AccessPlan, TeamAccess

MEMORY_MIB = 256


class PlaceKeys(Construct):
    """The keys of the places; `ids` are API Gateway's ids of them, in the order of the places.

    The function that hands them out needs them, and the API needs the function. So keys wait for each other
    alone, and join their plan, which needs the API, afterwards: `join`. All places have the same limits, so
    one plan is enough: it limits each of its keys by itself.
    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, places: Sequence[TeamAccess], stack_name: str
    ) -> None:
        super().__init__(scope, construct_id)
        self._limits = places[0].team
        self._keys: list[CfnResource] = []
        for number, place in enumerate(places, 1):
            key = build_key(self, f"Key{number}", place.name, stack_name)
            if self._keys:
                key.add_resource_dependency(self._keys[-1])
            self._keys.append(key)
        self.ids = [key.ref for key in self._keys]

    def join(self, api: HttpApi, after: CfnResource | None) -> None:
        """Puts the keys into their plan, one after another, the first once `after` exists."""
        plan = build_usage_plan(self, "Plan", PLACES_PLAN, self._limits, api)
        for number, key in enumerate(self._keys, 1):
            joined = join_plan(self, f"PlanKey{number}", key, plan)
            if after:
                joined.add_resource_dependency(after)
            after = joined


class JoinFunction(Construct):
    """The function that answers `POST /join`.

    `arn` is its ARN, `caller` that of the role by which API Gateway calls it, `table` the table of who has
    joined.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        access: AccessPlan,
        key_ids: Sequence[str],
        ends: datetime | None,
        stack_context: StackContext,
    ) -> None:
        super().__init__(scope, construct_id)
        log = build_log_group(self, "Log", stack_context.log_retention_days)
        table = build_table(self, "Table")
        self.table = table
        role = build_function_role(
            self,
            description="The function that lets teams join",
            log=log,
            statements=[may_join(table), _may_read_keys(stack_context)],
            managed=stack_context.network_policies.functions,
        )
        until = access.joining_ends
        function = build_function(
            self,
            description="Hands out the places for teams that join",
            code=ship_files(
                "join_function", load_join_code(team.name for team in access.teams), stack_context
            ),
            handler="index.lambda_handler",
            runtime=RUNTIME,
            timeout_seconds=TIMEOUT_SECONDS,
            memory_mib=MEMORY_MIB,
            environment={
                "TABLE": table.ref,
                "KEY_IDS": ",".join(key_ids),
                **({"UNTIL": render_instant(until)} if until else {}),
                **({"EVENT_ENDS": render_instant(ends)} if ends else {}),
            },
            role=role,
            log=log,
        )
        self.arn = function.get_att("Arn").to_string()
        self.caller = build_caller(self, self.arn, description="Lets teams join")


def _may_read_keys(stack_context: StackContext) -> Statement:
    """Allows to read keys of this stack's places, one at a time: no key of a team of the config, no list.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-tagging-iam-policy.html
    """
    keys = f"arn:{stack_context.partition}:apigateway:{stack_context.region}::/apikeys/*"
    tag = "aws:ResourceTag/"
    return allow(
        ["apigateway:GET"],
        [keys],
        {
            "StringEquals": {f"{tag}{STACK_TAG}": stack_context.stack_name},
            "StringLike": {f"{tag}{TEAM_TAG}": f"{PLACE_PREFIX}*"},
        },
    )
