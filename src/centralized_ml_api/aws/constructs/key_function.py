"""The function that gives keys on to API Gateway; its code is the folder `key_code`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from aws_cdk import CfnResource
from constructs import Construct

from centralized_ml_api.aws.constructs.code_asset import ship_code
from centralized_ml_api.aws.constructs.log_group import build_log_group
from centralized_ml_api.aws.constructs.role import allow, build_role, role_arn
from centralized_ml_api.aws.tags import STACK_TAG

if TYPE_CHECKING:
    from collections.abc import Iterable

    from centralized_ml_api.aws.constructs.role import Statement
    from centralized_ml_api.aws.constructs.stack_context import StackContext
    from centralized_ml_api.plan.aws.event import AccessPlan

CODE = Path(__file__).with_name("key_code")
RUNTIME = "python3.14"
"""Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html"""

TIMEOUT_SECONDS = 10
"""Looking twenty teams up takes two; without lists of models it is done in a millisecond."""

MEMORY_MIB = 256


class KeyFunction(Construct):
    """`arn` is that of the function, `caller` that of the role by which API Gateway calls it."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        access: AccessPlan,
        log_retention_days: int,
        stack_context: StackContext,
    ) -> None:
        super().__init__(scope, construct_id)
        self._surroundings = stack_context
        log = build_log_group(self, "Log", log_retention_days)
        function = CfnResource(
            self,
            "Function",
            type="AWS::Lambda::Function",
            properties={
                "Description": "Gives the keys of callers on to API Gateway, which checks them",
                "Code": ship_code(self, CODE, stack_context),
                "Handler": "index.lambda_handler",
                "Runtime": RUNTIME,
                "Timeout": TIMEOUT_SECONDS,
                "MemorySize": MEMORY_MIB,
                "Environment": {"Variables": {"REFUSED": json.dumps(access.refused)}},
                "Role": role_arn(self._build_role(log, access)),
                "LoggingConfig": {"LogGroup": log.ref},
            },
        )
        self.arn = function.get_att("Arn").to_string()
        self.caller = role_arn(self._build_caller()).to_string()

    def _build_role(self, log: CfnResource, access: AccessPlan) -> CfnResource:
        write = allow(["logs:CreateLogStream", "logs:PutLogEvents"], [log.get_att("Arn")])
        return build_role(
            self,
            "Role",
            service="lambda.amazonaws.com",
            description="The function that gives keys on",
            inline={"Function": [write, *(self._looking_up() if access.refused else ())]},
        )

    def _looking_up(self) -> Iterable[Statement]:
        """Whose key it is: the plans and the ids of their keys, and the values of this stack's keys alone.

        Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-tagging-iam-policy.html
        """
        here = self._surroundings
        service = f"arn:{here.partition}:apigateway:{here.region}::"
        yield allow(["apigateway:GET"], [f"{service}/usageplans", f"{service}/usageplans/*/keys"])
        own = {"StringEquals": {f"aws:ResourceTag/{STACK_TAG}": here.stack_name}}
        yield allow(["apigateway:GET"], [f"{service}/apikeys/*"], own)

    def _build_caller(self) -> CfnResource:
        return build_role(
            self,
            "Caller",
            service="apigateway.amazonaws.com",
            description="Asks whose key it is",
            inline={"Call": [allow(["lambda:InvokeFunction"], [self.arn])]},
        )
