"""The Lambda function between the API and a model, with a role and a log group of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import AssetStaging, CfnResource, FileAssetPackaging, IgnoreMode, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from centralized_ml_api.aws.constructs.log_group import build_log_group

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

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
    """`arn` is that of a function that runs the folder of the config as it is."""

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
        # The class for functions costs a quarter of a second to import, as much as all the rest of the stack.
        self._function = CfnResource(
            self,
            "Function",
            type="AWS::Lambda::Function",
            properties={
                "Description": f"Answers POST /{plan.name}",
                "Code": self._ship(written.code),
                "Handler": written.handler,
                "Runtime": written.runtime,
                "Timeout": written.timeout_seconds,
                "MemorySize": written.memory_mib,
                "Environment": {"Variables": {**plan.environment, "ENDPOINT_NAME": endpoint.name}},
                "Role": _build_role(self, plan, endpoint, log_group).role_arn,
                "LoggingConfig": {"LogGroup": log_group.log_group_name},
                **({"Layers": [*written.layers]} if written.layers else {}),
            },
        )
        self.arn = self._function.get_att("Arn").to_string()

    def _ship(self, folder: Path) -> dict[str, str]:
        """The folder as a file in S3, under a name that changes with its content."""
        stack = Stack.of(self)
        staged = AssetStaging(
            self, "Code", source_path=str(folder), exclude=NOT_SHIPPED, ignore_mode=IgnoreMode.GIT
        )
        place = stack.synthesizer.add_file_asset(
            source_hash=staged.asset_hash,
            file_name=staged.relative_staged_path(stack),
            packaging=FileAssetPackaging.ZIP_DIRECTORY,
            display_name=self.node.path,
        )
        return {"S3Bucket": place.bucket_name, "S3Key": place.object_key}


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
