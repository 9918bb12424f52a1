"""The roles by which the API calls its endpoints and functions, and SageMaker runs its models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from centralized_ml_api.aws.constructs.endpoint_address import EndpointPolicies
from centralized_ml_api.aws.constructs.resources import allow, build_managed_policy, build_role, role_arn

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from centralized_ml_api.aws.constructs.endpoint_address import EndpointAddress
    from centralized_ml_api.aws.constructs.resources import Statement
    from centralized_ml_api.aws.constructs.stack_context import StackContext
    from centralized_ml_api.plan.aws.types import (
        ArtifactLocation,
        AwsPlan,
        ExecutionRolePlan,
        Repository,
    )

_METRICS = ["AWS/SageMaker", "/aws/sagemaker/*"]
_PULL = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
_LOG = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]


class ApiRole(Construct):
    """The role that API Gateway assumes: it may use exactly what its paths lead to. `arn` is its ARN.

    One policy holds a limited number of ARNs; the plan says which go together. `policies` are those that do
    not come with the role: the API must wait for them.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        plan: AwsPlan,
        endpoints: Mapping[str, EndpointAddress],
        function_arns: Mapping[str, str],
        stream_arn: str,
        document_arns: Sequence[str],
    ) -> None:
        super().__init__(scope, construct_id)
        policies = [*self._call_functions(plan.function_policies, function_arns)]
        invoke = allow(["lambda:InvokeFunction"], [stream_arn])  # the same action as for answers in one piece
        read = allow(["s3:GetObject"], document_arns)
        policies.append(build_managed_policy(self, "Stream", [invoke, read]))
        role = build_role(
            self,
            "Role",
            service="apigateway.amazonaws.com",
            description="Calls the models and functions behind the API",
            managed=policies,
        )
        self.arn = role_arn(role).to_string()
        called = EndpointPolicies(self, role, endpoints)
        called.add("Endpoints", ["sagemaker:InvokeEndpoint"], plan.endpoint_policies)
        self.policies = called.all

    def _call_functions(self, lists: Sequence[Sequence[str]], arns: Mapping[str, str]) -> Iterable[str]:
        for number, names in enumerate(lists, 1):
            resources = list(dict.fromkeys(arns[name] for name in names))
            yield build_managed_policy(
                self, f"Functions{number}", [allow(["lambda:InvokeFunction"], resources)]
            )


class ExecutionRole(Construct):
    """The role under which SageMaker runs the models of one source of artifacts; `arn` is its ARN.

    It may write the endpoints' logs and metrics, pull the models' images and read their artifacts. The
    policies that it needs to start a model exist before it, so that no model is made before its role may
    fetch it.
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
            inline={"Observe": self._observe(components=plan.components)},
            managed=[
                *self._pull(plan.repositories),
                *self._read(plan.locations),
                *stack_context.network_policies.models,
            ],
        )
        self.arn = role_arn(role)

    def _observe(self, *, components: bool) -> Iterable[Statement]:
        """Allows logs of endpoints and components only, and metrics of SageMaker's namespaces only."""
        hosts = ["Endpoints", *(["InferenceComponents"] if components else [])]
        groups = f"arn:{self._partition}:logs:{self._region}:{self._account}:log-group:/aws/sagemaker"
        yield allow(_LOG, [f"{groups}/{host}/*" for host in hosts])
        namespaces = {"StringLike": {"cloudwatch:namespace": _METRICS}}
        yield allow(["cloudwatch:PutMetricData"], ["*"], namespaces)

    def _pull(self, lists: Sequence[Sequence[Repository]]) -> Iterable[str]:
        log_in = allow(["ecr:GetAuthorizationToken"], ["*"])
        for number, repositories in enumerate(lists, 1):
            pull = allow(_PULL, [self._repository_arn(repository) for repository in repositories])
            yield build_managed_policy(self, f"Images{number}", [log_in, pull])

    def _read(self, lists: Sequence[Sequence[ArtifactLocation]]) -> Iterable[str]:
        for number, locations in enumerate(lists, 1):
            yield build_managed_policy(self, f"Artifacts{number}", self._may_read(locations))

    def _may_read(self, locations: Iterable[ArtifactLocation]) -> Iterable[Statement]:
        """Allows each object by its key, and a folder's objects by its prefix, which may also be listed."""
        yield allow(["s3:GetObject"], [self._object_arn(location) for location in locations])
        for bucket, prefixes in _folders(locations).items():
            yield allow(["s3:ListBucket"], [self._s3_arn(bucket)], {"StringLike": {"s3:prefix": prefixes}})

    def _repository_arn(self, repository: Repository) -> str:
        registry = f"{repository.region}:{repository.account}"
        return f"arn:{self._partition}:ecr:{registry}:repository/{repository.name}"

    def _object_arn(self, location: ArtifactLocation) -> str:
        every = "*" if location.is_folder else ""
        return self._s3_arn(f"{location.bucket}/{location.key}{every}")

    def _s3_arn(self, name: str) -> str:
        return f"arn:{self._partition}:s3:::{name}"


def _folders(locations: Iterable[ArtifactLocation]) -> dict[str, list[str]]:
    """Returns the prefixes of the folders, by bucket."""
    found: dict[str, list[str]] = {}
    for location in locations:
        if location.is_folder:
            found.setdefault(location.bucket, []).append(f"{location.key}*")
    return found
