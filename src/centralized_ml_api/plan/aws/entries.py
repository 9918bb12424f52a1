"""How each entry exists on AWS: its SageMaker endpoint and its function. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from centralized_ml_api.catalog.facts import DeployFacts, ModelData
from centralized_ml_api.config.schema import FunctionSpeaks
from centralized_ml_api.plan.aws.roles import role_of
from centralized_ml_api.plan.aws.types import ContainerPlan, HostingPlan, ModelFunctionPlan
from centralized_ml_api.plan.copies import read_resources
from centralized_ml_api.plan.speaks import container_speaks
from centralized_ml_api.plan.types import ContainerModel, JumpStartModel, PackageModel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from centralized_ml_api.catalog.facts import ModelFacts
    from centralized_ml_api.config.schema import Speaks
    from centralized_ml_api.plan.aws.types import Endpoint
    from centralized_ml_api.plan.types import AutoscalingPlan, CopyResources, FunctionPlan, ModelDeployment


PROVISION_TIMEOUT_SECONDS = 3600
"""How long SageMaker looks for capacity, over all instance types of an endpoint: as long as it allows.

It goes on to the next type at once where one has no capacity, so a shorter time would not make it go on
sooner; it would only end the deploy while instances are still starting.
Source: https://docs.aws.amazon.com/sagemaker/latest/dg/realtime-endpoints-heterogeneous.html (300 to 3600)
"""

_DEFAULTS = DeployFacts(
    download_timeout_seconds=None, startup_timeout_seconds=None, volume_gib=None, inference_ami=None
)


def build_hosting(deployment: ModelDeployment, facts: ModelFacts | None) -> HostingPlan:
    """Builds what SageMaker needs to know about one model.

    Args:
        deployment: An entry of `models`.
        facts: What JumpStart knows; required for a JumpStart model, None for others.

    Raises:
        ValueError: The entry is an existing endpoint, a JumpStart model without facts, or one that may sleep
            and of whose copies nobody says what they reserve.
    """
    container = _container(deployment, facts)
    deploy, written = facts.deploy if facts else _DEFAULTS, deployment.hosting
    scaling = deployment.autoscaling
    return HostingPlan(
        name=deployment.name,
        container=container,
        network_isolation=_is_isolated(container, facts),
        instances=deployment.instances,
        provision_timeout_seconds=PROVISION_TIMEOUT_SECONDS if len(deployment.instances) > 1 else None,
        initial_count=scaling.initial_capacity if scaling else 1,
        volume_gib=written.volume_gib or deploy.volume_gib,
        download_timeout_seconds=written.download_timeout_seconds or deploy.download_timeout_seconds,
        startup_timeout_seconds=written.startup_timeout_seconds or deploy.startup_timeout_seconds,
        inference_ami=written.inference_ami or deploy.inference_ami,
        autoscaling=scaling,
        role=role_of(deployment.origin, container),
        copy=_copy(deployment.name, scaling, facts) if scaling and scaling.sleeps else None,
    )


def _copy(name: str, scaling: AutoscalingPlan, facts: ModelFacts | None) -> CopyResources:
    """Returns what a copy reserves: what the config says, or else JumpStart."""
    found = scaling.resources or (read_resources(facts) if facts else None)
    if found is None:
        raise ValueError(f"{name} may sleep: what a copy of it reserves must be known")
    return found


def _container(deployment: ModelDeployment, facts: ModelFacts | None) -> ContainerPlan:
    match deployment.origin:
        case JumpStartModel(accept_eula=accepted):
            return _jumpstart_container(_known(facts, deployment.name), accepted=accepted)
        case PackageModel(arn):
            return ContainerPlan(None, arn, None, accept_eula=False, environment=deployment.environment)
        case ContainerModel(image, data):
            artifacts = _artifacts(data) if data else None
            return ContainerPlan(
                image, None, artifacts, accept_eula=False, environment=deployment.environment
            )
        case _:
            raise ValueError(f"{deployment.name} is an endpoint that exists already")


def _known(facts: ModelFacts | None, name: str) -> ModelFacts:
    if facts is None:
        raise ValueError(f"{name} is a JumpStart model: its facts must be resolved first")
    return facts


def _jumpstart_container(facts: ModelFacts, *, accepted: bool) -> ContainerPlan:
    """Returns the container; the environment of the facts already includes the user's, which won."""
    environment = dict(facts.environment)
    if facts.model_package_arn:
        return ContainerPlan(None, facts.model_package_arn, None, accept_eula=False, environment=environment)
    accept = facts.eula.required and accepted
    return ContainerPlan(facts.image, None, facts.model_data, accept_eula=accept, environment=environment)


def _artifacts(uri: str) -> ModelData:
    """Returns where artifacts are: a folder is used as it is; a single object is an archive to unpack."""
    if uri.endswith("/"):
        return ModelData(uri, type="S3Prefix", compression="None")
    return ModelData(uri, type=None, compression=None)


def _is_isolated(container: ContainerPlan, facts: ModelFacts | None) -> bool:
    """Returns whether the container has no network: a Marketplace package must not have it.

    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/mkt-algo-model-internet-free.html
    """
    return container.package_arn is not None or (facts is not None and facts.network_isolation)


EVERYTHING = "*"

_INVOKE = "sagemaker:invokeendpoint"
_ENDPOINT = ":endpoint/"


def build_model_function(
    deployment: ModelDeployment, function: FunctionPlan, endpoint: Endpoint, container: ContainerPlan | None
) -> ModelFunctionPlan:
    """Builds the function of one entry.

    Args:
        deployment: The entry.
        function: Its function as the config describes it.
        endpoint: The endpoint that the function calls.
        container: What runs behind the endpoint, where that is known.
    """
    invoke = [action for action in function.actions if _is_invoke(action)]
    resources = function.resources or ()
    return ModelFunctionPlan(
        name=deployment.name,
        function=function,
        endpoint=endpoint,
        environment={**_language(container, deployment.speaks), **function.environment},
        invoke_actions=tuple(invoke),
        invoke_resources=tuple(resource for resource in resources if _ENDPOINT in resource),
        other_actions=tuple(action for action in function.actions if action not in invoke),
        other_resources=_other_resources(function.resources),
    )


def _is_invoke(action: str) -> bool:
    """Returns whether the action invokes an endpoint; IAM ignores the case of actions."""
    return action.lower().startswith(_INVOKE)


def _other_resources(written: Sequence[str] | None) -> tuple[str, ...]:
    return (EVERYTHING,) if written is None else tuple(written)


def _language(container: ContainerPlan | None, written: Speaks | None) -> Mapping[str, str]:
    """Returns MODEL_SPEAKS, as written or for a known family; the function has a default for others.

    With `text-inputs`, which callers of the example function already speak, it passes bodies on.
    """
    speaks = written or (container_speaks(container.image) if container else None)
    return {"MODEL_SPEAKS": speaks} if speaks and speaks in get_args(FunctionSpeaks) else {}
