"""The role under which SageMaker runs the models of one source of artifacts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from centralized_ml_api.aws.constructs.role import allow, build_managed_policy, build_role, role_arn

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from centralized_ml_api.aws.constructs.role import Statement
    from centralized_ml_api.aws.constructs.stack_context import StackContext
    from centralized_ml_api.plan.aws.types import ArtifactLocation, ExecutionRolePlan, Repository

_METRICS = ["AWS/SageMaker", "/aws/sagemaker/*"]
_PULL = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
_LOG = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]


class ExecutionRole(Construct):
    """May write the endpoints' logs and metrics, pull the models' images and read their artifacts.

    What the role needs to start a model is in policies that exist before it, so that no model is made
    before its role may fetch it. `arn` is the role's.
    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html#sagemaker-roles-createmodel-perms
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, plan: ExecutionRolePlan, stack_context: StackContext
    ) -> None:
        super().__init__(scope, construct_id)
        self._partition, self._region = stack_context.partition, stack_context.region
        self._account = stack_context.account
        role = build_role(
            self,
            "Role",
            service="sagemaker.amazonaws.com",
            condition={"StringEquals": {"aws:SourceAccount": self._account}},
            description=f"Runs the models of the source {plan.id}",
            inline={"Observe": self._observe()},
            managed=[*self._pull(plan.repositories), *self._read(plan.locations)],
        )
        self.arn = role_arn(role)

    def _observe(self) -> Iterable[Statement]:
        """Logs of endpoints only, metrics of SageMaker's namespaces only."""
        group = f"{self._region}:{self._account}:log-group:/aws/sagemaker/Endpoints/*"
        yield allow(_LOG, [f"arn:{self._partition}:logs:{group}"])
        namespaces = {"StringLike": {"cloudwatch:namespace": _METRICS}}
        yield allow(["cloudwatch:PutMetricData"], ["*"], namespaces)

    def _pull(self, lists: Sequence[Sequence[Repository]]) -> Iterable[str]:
        log_in = allow(["ecr:GetAuthorizationToken"], ["*"])
        for number, repositories in enumerate(lists, 1):
            pull = allow(_PULL, [self._repository_arn(one) for one in repositories])
            yield build_managed_policy(self, f"Images{number}", [log_in, pull])

    def _read(self, lists: Sequence[Sequence[ArtifactLocation]]) -> Iterable[str]:
        for number, locations in enumerate(lists, 1):
            yield build_managed_policy(self, f"Artifacts{number}", self._may_read(locations))

    def _may_read(self, locations: Iterable[ArtifactLocation]) -> Iterable[Statement]:
        """Every object by its key; a folder's objects by its prefix, which may be listed too."""
        yield allow(["s3:GetObject"], [self._object_arn(one) for one in locations])
        for bucket, prefixes in _folders(locations).items():
            yield allow(["s3:ListBucket"], [self._s3_arn(bucket)], {"StringLike": {"s3:prefix": prefixes}})

    def _repository_arn(self, repository: Repository) -> str:
        place = f"{repository.region}:{repository.account}"
        return f"arn:{self._partition}:ecr:{place}:repository/{repository.name}"

    def _object_arn(self, location: ArtifactLocation) -> str:
        every = "*" if location.key.endswith("/") else ""
        return self._s3_arn(f"{location.bucket}/{location.key}{every}")

    def _s3_arn(self, name: str) -> str:
        return f"arn:{self._partition}:s3:::{name}"


def _folders(locations: Iterable[ArtifactLocation]) -> dict[str, list[str]]:
    """The prefixes of the folders, by bucket."""
    found: dict[str, list[str]] = {}
    for one in locations:
        if one.key.endswith("/"):
            found.setdefault(one.bucket, []).append(f"{one.key}*")
    return found
