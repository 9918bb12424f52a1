"""The role under which SageMaker runs the models of one source of artifacts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from centralized_ml_api.plan.aws.model import ArtifactLocation, ExecutionRolePlan, Repository

_METRICS = ["AWS/SageMaker", "/aws/sagemaker/*"]
_PULL = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]


class ExecutionRole(Construct):
    """May write the endpoints' logs and metrics, pull the models' images and read their artifacts.

    What the role needs to start a model is in policies that exist before it, so that no model is made
    before its role may fetch it.
    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html#sagemaker-roles-createmodel-perms
    """

    def __init__(self, scope: Construct, construct_id: str, *, plan: ExecutionRolePlan) -> None:
        super().__init__(scope, construct_id)
        account = Stack.of(self).account
        service = iam.ServicePrincipal("sagemaker.amazonaws.com")
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.PrincipalWithConditions(service, {"StringEquals": {"aws:SourceAccount": account}}),
            description=f"Runs the models of the source {plan.id}",
            inline_policies={"Observe": iam.PolicyDocument(statements=[*_observe(self)])},
            managed_policies=[*self._pull(plan.repositories), *self._read(plan.locations)],
        )

    def _pull(self, lists: Sequence[Sequence[Repository]]) -> Iterable[iam.ManagedPolicy]:
        for number, repositories in enumerate(lists, 1):
            arns = [_repository_arn(self, one) for one in repositories]
            log_in = iam.PolicyStatement(actions=["ecr:GetAuthorizationToken"], resources=["*"])
            pull = iam.PolicyStatement(actions=_PULL, resources=arns)
            yield iam.ManagedPolicy(self, f"Images{number}", statements=[log_in, pull])

    def _read(self, lists: Sequence[Sequence[ArtifactLocation]]) -> Iterable[iam.ManagedPolicy]:
        for number, locations in enumerate(lists, 1):
            yield iam.ManagedPolicy(self, f"Artifacts{number}", statements=[*_read(self, locations)])


def _observe(scope: Construct) -> Iterable[iam.PolicyStatement]:
    """Logs of endpoints only, metrics of SageMaker's namespaces only."""
    group = Stack.of(scope).format_arn(
        service="logs",
        resource="log-group",
        resource_name="/aws/sagemaker/Endpoints/*",
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )
    write = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
    yield iam.PolicyStatement(actions=write, resources=[group])
    yield iam.PolicyStatement(
        actions=["cloudwatch:PutMetricData"],
        resources=["*"],
        conditions={"StringLike": {"cloudwatch:namespace": _METRICS}},
    )


def _repository_arn(scope: Construct, repository: Repository) -> str:
    return Stack.of(scope).format_arn(
        service="ecr",
        account=repository.account,
        region=repository.region,
        resource="repository",
        resource_name=repository.name,
    )


def _read(scope: Construct, locations: Iterable[ArtifactLocation]) -> Iterable[iam.PolicyStatement]:
    """Every object by its key; a folder's objects by its prefix, which may be listed too."""
    objects = [_object_arn(scope, one) for one in locations]
    yield iam.PolicyStatement(actions=["s3:GetObject"], resources=objects)
    for bucket, prefixes in _folders(locations).items():
        yield iam.PolicyStatement(
            actions=["s3:ListBucket"],
            resources=[_s3_arn(scope, bucket)],
            conditions={"StringLike": {"s3:prefix": prefixes}},
        )


def _folders(locations: Iterable[ArtifactLocation]) -> dict[str, list[str]]:
    """The prefixes of the folders, by bucket."""
    found: dict[str, list[str]] = {}
    for one in locations:
        if one.key.endswith("/"):
            found.setdefault(one.bucket, []).append(f"{one.key}*")
    return found


def _object_arn(scope: Construct, location: ArtifactLocation) -> str:
    every = "*" if location.key.endswith("/") else ""
    return _s3_arn(scope, f"{location.bucket}/{location.key}{every}")


def _s3_arn(scope: Construct, name: str) -> str:
    return f"arn:{Stack.of(scope).partition}:s3:::{name}"
