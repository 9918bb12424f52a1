"""The one Lambda function that streams, speaks OpenAI's API and tells who is ready.

Its code is the folder beside this file.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from aws_cdk import CfnResource
from constructs import Construct

from centralized_ml_api.api.event_end import render_instant
from centralized_ml_api.aws.constructs.code_asset import ship_code
from centralized_ml_api.aws.constructs.log_group import build_log_group
from centralized_ml_api.aws.constructs.role import allow, build_managed_policy, build_role, role_arn
from centralized_ml_api.plan.aws.streaming import build_row, render_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from centralized_ml_api.aws.constructs.endpoint_address import EndpointAddress
    from centralized_ml_api.aws.constructs.role import Statement
    from centralized_ml_api.aws.constructs.stack_context import StackContext
    from centralized_ml_api.plan.aws.types import StreamModel, StreamPlan

CODE = Path(__file__).with_name("stream_function")
RUNTIME = "nodejs24.x"
"""Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html"""

MEMORY_MIB = 512
"""Bodies of some megabytes pass through; more memory also means a quicker start."""

DESCRIBE = "sagemaker:DescribeEndpoint"
INVOKE = (DESCRIBE, "sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointWithResponseStream")


class StreamFunction(Construct):
    """`arn` is that of the function. It may ask about the endpoints of its plan, and call those it should."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        plan: StreamPlan,
        endpoints: Mapping[str, EndpointAddress],
        log_retention_days: int,
        stack_context: StackContext,
        ends: datetime | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._stack = stack_context.stack
        log = build_log_group(self, "Log", log_retention_days)
        models = {one.name: one for one in plan.models}
        parameters = [
            self._add_parameter(number, [models[name] for name in names], endpoints)
            for number, names in enumerate(plan.tables, 1)
        ]
        found = _found_in(parameters) if parameters else {"MODELS": _render(plan.models, endpoints)}
        function = CfnResource(
            self,
            "Function",
            type="AWS::Lambda::Function",
            properties={
                "Description": "Streams answers, and speaks the API of OpenAI",
                "Code": ship_code(self, CODE, stack_context),
                "Handler": "index.handler",
                "Runtime": RUNTIME,
                "Timeout": plan.timeout_seconds,
                "MemorySize": MEMORY_MIB,
                "Environment": {
                    "Variables": {
                        "IDLE_SECONDS": str(plan.idle_seconds),
                        "HEALTH_SECONDS": str(plan.health_seconds),
                        "MODELS_VERSION": _version(plan),
                        **found,
                        **({"EVENT_ENDS": render_instant(ends)} if ends else {}),
                    }
                },
                "Role": role_arn(self._build_role(plan, endpoints, log, parameters)),
                "LoggingConfig": {"LogGroup": log.ref},
            },
        )
        self.arn = function.get_att("Arn").to_string()

    def _add_parameter(
        self, number: int, models: Sequence[StreamModel], endpoints: Mapping[str, EndpointAddress]
    ) -> CfnResource:
        properties = {"Type": "String", "Value": _render(models, endpoints)}
        return CfnResource(self, f"Models{number}", type="AWS::SSM::Parameter", properties=properties)

    def _build_role(
        self,
        plan: StreamPlan,
        endpoints: Mapping[str, EndpointAddress],
        log: CfnResource,
        parameters: Sequence[CfnResource],
    ) -> CfnResource:
        write = allow(["logs:CreateLogStream", "logs:PutLogEvents"], [log.get_att("Arn")])
        return build_role(
            self,
            "Role",
            service="lambda.amazonaws.com",
            description="The function that streams",
            inline={"Function": [write, *self._reading(parameters)]},
            managed=[*self._invoking(plan, endpoints)],
        )

    def _reading(self, parameters: Sequence[CfnResource]) -> Iterable[Statement]:
        if parameters:
            yield allow(["ssm:GetParameters"], [self._arn_of(one) for one in parameters])

    def _arn_of(self, parameter: CfnResource) -> str:
        return self._stack.format_arn(service="ssm", resource="parameter", resource_name=parameter.ref)

    def _invoking(self, plan: StreamPlan, endpoints: Mapping[str, EndpointAddress]) -> Iterable[str]:
        for kind, actions, lists in (
            ("Endpoints", INVOKE, plan.policies),
            ("Watched", (DESCRIBE,), plan.watched),
        ):
            for number, names in enumerate(lists, 1):
                arns = list(dict.fromkeys(endpoints[name].arn for name in names))
                yield build_managed_policy(self, f"{kind}{number}", [allow(actions, arns)])


def _render(models: Iterable[StreamModel], endpoints: Mapping[str, EndpointAddress]) -> str:
    return render_table([(one.name, build_row(one, endpoints[one.name].name)) for one in models])


def _found_in(parameters: Iterable[CfnResource]) -> dict[str, str]:
    return {"MODEL_PARAMETERS": json.dumps([one.ref for one in parameters])}


def _version(plan: StreamPlan) -> str:
    """Changes with the models, so that instances of the function that read the old ones are replaced."""
    return hashlib.sha256(repr(plan.models).encode()).hexdigest()[:12]
