"""The Lambda function between the API and a model, with a role and a log group of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import CfnResource
from constructs import Construct

from centralized_ml_api.aws.constructs.code_asset import ship_code
from centralized_ml_api.aws.constructs.log_group import build_log_group
from centralized_ml_api.aws.constructs.role import allow, build_role, role_arn

if TYPE_CHECKING:
    from collections.abc import Iterable

    from centralized_ml_api.aws.constructs.endpoint_address import EndpointAddress
    from centralized_ml_api.aws.constructs.role import Statement
    from centralized_ml_api.aws.constructs.stack_context import StackContext
    from centralized_ml_api.plan.aws.types import ModelFunctionPlan


class ModelFunction(Construct):
    """`arn` is that of a function that runs the folder of the config as it is."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        plan: ModelFunctionPlan,
        endpoint: EndpointAddress,
        log_retention_days: int,
        stack_context: StackContext,
    ) -> None:
        super().__init__(scope, construct_id)
        log_group = build_log_group(self, "Log", log_retention_days)
        written = plan.function
        # The class for functions costs a quarter of a second to import, as much as all the rest of the stack.
        self._function = CfnResource(
            self,
            "Function",
            type="AWS::Lambda::Function",
            properties={
                "Description": f"Answers POST /{plan.name}",
                "Code": ship_code(self, written.code, stack_context),
                "Handler": written.handler,
                "Runtime": written.runtime,
                "Timeout": written.timeout_seconds,
                "MemorySize": written.memory_mib,
                "Environment": {"Variables": {**plan.environment, "ENDPOINT_NAME": endpoint.name}},
                "Role": role_arn(_build_role(self, plan, endpoint, log_group)),
                "LoggingConfig": {"LogGroup": log_group.ref},
                **({"Layers": [*written.layers]} if written.layers else {}),
            },
        )
        self.arn = self._function.get_att("Arn").to_string()


def _build_role(
    scope: Construct, plan: ModelFunctionPlan, endpoint: EndpointAddress, log_group: CfnResource
) -> CfnResource:
    """Its own log, this endpoint, and what the config asks for."""
    write = allow(["logs:CreateLogStream", "logs:PutLogEvents"], [log_group.get_att("Arn")])
    return build_role(
        scope,
        "Role",
        service="lambda.amazonaws.com",
        description=f"The function of /{plan.name}",
        inline={"Function": [write, *_permissions(plan, endpoint)]},
    )


def _permissions(plan: ModelFunctionPlan, endpoint: EndpointAddress) -> Iterable[Statement]:
    if plan.invoke_actions:
        yield allow(plan.invoke_actions, [endpoint.arn, *plan.invoke_resources])
    if plan.other_actions:
        yield allow(plan.other_actions, plan.other_resources)
