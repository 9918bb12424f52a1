"""How a model is hosted on SageMaker. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.catalog.facts import DeployFacts, ModelData
from centralized_ml_api.plan.aws.roles import role_of
from centralized_ml_api.plan.aws.types import ContainerPlan, HostingPlan
from centralized_ml_api.plan.types import ContainerModel, JumpStartModel, PackageModel

if TYPE_CHECKING:
    from centralized_ml_api.catalog.facts import ModelFacts
    from centralized_ml_api.plan.types import ModelDeployment

PROVISION_TIMEOUT_SECONDS = 600
"""How long SageMaker looks for capacity before it tries the next instance type.

Long enough for a usual start of an instance, so that a slow one is not taken for a missing one.
Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariant.html (300 to 3600)
"""

_DEFAULTS = DeployFacts(
    download_timeout_seconds=None, startup_timeout_seconds=None, volume_gib=None, inference_ami=None
)


def build_hosting(deployment: ModelDeployment, facts: ModelFacts | None) -> HostingPlan:
    """What SageMaker needs to know of one model.

    Args:
        deployment: an entry of `models`.
        facts: what JumpStart knows, exactly for a JumpStart model.
    """
    container = _container(deployment, facts)
    deploy = facts.deploy if facts else _DEFAULTS
    scaling = deployment.autoscaling
    return HostingPlan(
        name=deployment.name,
        container=container,
        network_isolation=_is_isolated(container, facts),
        instances=deployment.instances,
        provision_timeout_seconds=PROVISION_TIMEOUT_SECONDS if len(deployment.instances) > 1 else None,
        initial_count=scaling.min_capacity if scaling else 1,
        volume_gib=deploy.volume_gib,
        download_timeout_seconds=deploy.download_timeout_seconds,
        startup_timeout_seconds=deploy.startup_timeout_seconds,
        inference_ami=deploy.inference_ami,
        autoscaling=scaling,
        role=role_of(deployment.origin, container),
    )


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
    """The environment of the facts is whole: the user's is in it, and won."""
    environment = dict(facts.environment)
    if facts.model_package_arn:
        return ContainerPlan(None, facts.model_package_arn, None, accept_eula=False, environment=environment)
    accept = facts.eula.required and accepted
    return ContainerPlan(facts.image, None, facts.model_data, accept_eula=accept, environment=environment)


def _artifacts(uri: str) -> ModelData:
    """A folder is used as it is; one object is an archive, which SageMaker unpacks."""
    if uri.endswith("/"):
        return ModelData(uri, type="S3Prefix", compression="None")
    return ModelData(uri, type=None, compression=None)


def _is_isolated(container: ContainerPlan, facts: ModelFacts | None) -> bool:
    """A package of the Marketplace must not reach the network.

    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/mkt-algo-model-internet-free.html
    """
    return container.package_arn is not None or (facts is not None and facts.network_isolation)
