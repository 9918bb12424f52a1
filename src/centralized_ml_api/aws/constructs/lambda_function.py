"""Lambda functions: their code, their role and their log, and those that the config puts before a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import CfnResource, Reference
from constructs import Construct

from centralized_ml_api.aws.constructs.assets import ship_code
from centralized_ml_api.aws.constructs.resources import (
    allow,
    build_inline_policy,
    build_log_group,
    build_role,
    role_arn,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from centralized_ml_api.aws.constructs.endpoint_address import EndpointAddress
    from centralized_ml_api.aws.constructs.resources import Statement
    from centralized_ml_api.aws.constructs.stack_context import StackContext
    from centralized_ml_api.plan.aws.types import ModelFunctionPlan


@dataclass(frozen=True, slots=True)
class FunctionAddress:
    """How a function is called: Lambda's name of it, and its ARN."""

    name: str
    arn: Reference


def build_function_role(
    scope: Construct,
    *,
    description: str,
    log: CfnResource,
    statements: Iterable[Statement] = (),
    managed: Sequence[str] = (),
) -> CfnResource:
    """Builds the role of a function, which may write its own log and do what these policies allow.

    Args:
        scope: The construct of the function.
        description: Whose role it is.
        log: The log group of the function.
        statements: What else it may do.
        managed: ARNs of managed policies.
    """
    write = allow(["logs:CreateLogStream", "logs:PutLogEvents"], [log.get_att("Arn")])
    return build_role(
        scope,
        "Role",
        service="lambda.amazonaws.com",
        description=description,
        inline={"Function": [write, *statements]},
        managed=managed,
    )


def build_caller(scope: Construct, function_arn: str, *, description: str) -> str:
    """Builds the role by which API Gateway calls a function, and nothing else; returns its ARN.

    Args:
        scope: The construct of the function.
        function_arn: Of the function.
        description: What calling it is for.
    """
    caller = build_role(
        scope,
        "Caller",
        service="apigateway.amazonaws.com",
        description=description,
        inline={"Call": [allow(["lambda:InvokeFunction"], [function_arn])]},
    )
    return role_arn(caller).to_string()


def build_function(
    scope: Construct,
    *,
    description: str,
    code: Mapping[str, str],
    handler: str,
    runtime: str,
    timeout_seconds: int,
    memory_mib: int,
    environment: Mapping[str, str],
    role: CfnResource,
    log: CfnResource,
    layers: Sequence[str] = (),
) -> CfnResource:
    """Builds a function.

    The CDK's class for functions takes a quarter of a second to import, as long as all the rest of the stack.

    Args:
        scope: The construct of the function.
        description: What it does.
        code: Where it is in S3.
        handler: Its entry point, such as `index.handler`.
        runtime: Lambda's name of it.
        timeout_seconds: How long a call may take.
        memory_mib: Also decides how much CPU it gets.
        environment: Its variables.
        role: What it runs as.
        log: Its log group.
        layers: Their ARNs.
    """
    return CfnResource(
        scope,
        "Function",
        type="AWS::Lambda::Function",
        properties={
            "Description": description,
            "Code": code,
            "Handler": handler,
            "Runtime": runtime,
            "Timeout": timeout_seconds,
            "MemorySize": memory_mib,
            "Environment": {"Variables": environment},
            "Role": role_arn(role),
            "LoggingConfig": {"LogGroup": log.ref},
            **({"Layers": [*layers]} if layers else {}),
        },
    )


class ModelFunction(Construct):
    """The function between the API and a model: runs the folder of the config unchanged. `arn` is its ARN."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        plan: ModelFunctionPlan,
        endpoint: EndpointAddress,
        stack_context: StackContext,
    ) -> None:
        super().__init__(scope, construct_id)
        log = build_log_group(self, "Log", stack_context.log_retention_days)
        written = plan.function
        role = build_function_role(
            self,
            description=f"The function of /{plan.name}",
            log=log,
            statements=_permissions(plan),
            managed=stack_context.network_policies.functions,
        )
        function = build_function(
            self,
            description=f"Answers POST /{plan.name}",
            code=ship_code(written.code, stack_context),
            handler=written.handler,
            runtime=written.runtime,
            timeout_seconds=written.timeout_seconds,
            memory_mib=written.memory_mib,
            environment={
                **plan.environment,
                "ENDPOINT_NAME": endpoint.name,
                **({"INFERENCE_COMPONENT_NAME": endpoint.component} if endpoint.component else {}),
            },
            role=role,
            log=log,
            layers=written.layers,
        )
        if plan.invoke_actions:
            invoke = allow(plan.invoke_actions, [*endpoint.arns, *plan.invoke_resources])
            policy = build_inline_policy(self, f"Invoke{endpoint.generation}", [invoke], role)
            function.add_resource_dependency(policy)
        self.arn = function.get_att("Arn").to_string()


def _permissions(plan: ModelFunctionPlan) -> Iterable[Statement]:
    if plan.other_actions:
        yield allow(plan.other_actions, plan.other_resources)
