"""The Lambda function between the API and a model, with a role and a log group of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration, IgnoreMode
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from centralized_ml_api.aws.constructs.log_group import build_log_group

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aws_cdk import aws_logs as logs

    from centralized_ml_api.aws.constructs.endpoint_address import EndpointAddress
    from centralized_ml_api.plan.aws.model import ModelFunctionPlan

NOT_SHIPPED = [
    "__pycache__/",
    "*.py[co]",
    ".git/",
    ".venv/",
    ".mypy_cache/",
    ".pytest_cache/",
    ".ruff_cache/",
]
"""What running or testing the function here leaves in its folder, as patterns of .gitignore."""


class ModelFunction(Construct):
    """`function` runs the folder of the config as it is."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        plan: ModelFunctionPlan,
        endpoint: EndpointAddress,
        log_retention_days: int,
    ) -> None:
        super().__init__(scope, construct_id)
        log_group = build_log_group(self, "Log", log_retention_days)
        written = plan.function
        self.function = lambda_.Function(
            self,
            "Function",
            description=f"Answers POST /{plan.name}",
            code=lambda_.Code.from_asset(str(written.code), exclude=NOT_SHIPPED, ignore_mode=IgnoreMode.GIT),
            handler=written.handler,
            runtime=lambda_.Runtime(written.runtime),
            timeout=Duration.seconds(written.timeout_seconds),
            memory_size=written.memory_mib,
            environment={**plan.environment, "ENDPOINT_NAME": endpoint.name},
            layers=[*self._layers(written.layers)],
            role=_build_role(self, plan, endpoint, log_group),
            log_group=log_group,
        )

    def _layers(self, arns: Iterable[str]) -> Iterable[lambda_.ILayerVersion]:
        for number, arn in enumerate(arns, 1):
            yield lambda_.LayerVersion.from_layer_version_arn(self, f"Layer{number}", arn)


def _build_role(
    scope: Construct, plan: ModelFunctionPlan, endpoint: EndpointAddress, log_group: logs.LogGroup
) -> iam.Role:
    """Its own log, this endpoint, and what the config asks for."""
    write = iam.PolicyStatement(
        actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log_group.log_group_arn]
    )
    statements = [write, *_permissions(plan, endpoint)]
    return iam.Role(
        scope,
        "Role",
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        description=f"The function of /{plan.name}",
        inline_policies={"Function": iam.PolicyDocument(statements=statements)},
    )


def _permissions(plan: ModelFunctionPlan, endpoint: EndpointAddress) -> Iterable[iam.PolicyStatement]:
    if plan.invoke_actions:
        resources = [endpoint.arn, *plan.invoke_resources]
        yield iam.PolicyStatement(actions=[*plan.invoke_actions], resources=resources)
    if plan.other_actions:
        yield iam.PolicyStatement(actions=[*plan.other_actions], resources=[*plan.other_resources])
