"""A model on SageMaker: the model, how it is hosted, and the endpoint, which stays when the others change.

Nothing here has a fixed name. A changed model or configuration is made anew before the old one goes, which a
fixed name would prevent; the endpoint then moves to the new configuration while it serves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from centralized_ml_api.aws.constructs.autoscaling import InstanceScaling

if TYPE_CHECKING:
    from aws_cdk import aws_iam as iam

    from centralized_ml_api.catalog.facts import ModelData
    from centralized_ml_api.plan.aws.model import ContainerPlan, HostingPlan

VARIANT = "AllTraffic"
"""The one production variant of an endpoint."""

_Config = sagemaker.CfnEndpointConfig
_Model = sagemaker.CfnModel


class HostedModel(Construct):
    """`endpoint_name` is SageMaker's name of the endpoint, `endpoint_arn` what IAM knows it by."""

    def __init__(self, scope: Construct, construct_id: str, *, plan: HostingPlan, role: iam.IRole) -> None:
        super().__init__(scope, construct_id)
        model = _Model(
            self,
            "Model",
            execution_role_arn=role.role_arn,
            primary_container=_container(plan.container),
            enable_network_isolation=plan.network_isolation,
        )
        config = _Config(self, "Config", production_variants=[_variant(plan, model.attr_model_name)])
        endpoint = sagemaker.CfnEndpoint(
            self,
            "Endpoint",
            endpoint_config_name=config.attr_endpoint_config_name,
            retain_all_variant_properties=True,
            exclude_retained_variant_properties=_from_the_config(plan),
        )
        self.endpoint_name = endpoint.attr_endpoint_name
        self.endpoint_arn = endpoint.ref  # SageMaker's ARNs are in small letters, whatever the name is
        if plan.autoscaling:
            InstanceScaling(
                self, "Scaling", plan=plan.autoscaling, endpoint_name=self.endpoint_name, variant=VARIANT
            )


def _container(plan: ContainerPlan) -> _Model.ContainerDefinitionProperty:
    """A package brings its image and artifacts and takes neither of ours."""
    return _Model.ContainerDefinitionProperty(
        image=plan.image,
        model_package_name=plan.package_arn,
        environment=dict(plan.environment) or None,
        **_artifacts(plan.data, accept_eula=plan.accept_eula),
    )


def _artifacts(data: ModelData | None, *, accept_eula: bool) -> dict[str, Any]:
    if data is None:
        return {}
    if data.type is None:
        return {"model_data_url": data.uri}
    access = _Model.ModelAccessConfigProperty(accept_eula=True) if accept_eula else None
    source = _Model.S3DataSourceProperty(
        s3_uri=data.uri,
        s3_data_type=data.type,
        compression_type=data.compression or "None",
        model_access_config=access,
    )
    return {"model_data_source": _Model.ModelDataSourceProperty(s3_data_source=source)}


def _variant(plan: HostingPlan, model_name: str) -> _Config.ProductionVariantProperty:
    return _Config.ProductionVariantProperty(
        variant_name=VARIANT,
        model_name=model_name,
        initial_instance_count=plan.initial_count,
        initial_variant_weight=1,
        volume_size_in_gb=plan.volume_gib,
        model_data_download_timeout_in_seconds=plan.download_timeout_seconds,
        container_startup_health_check_timeout_in_seconds=plan.startup_timeout_seconds,
        inference_ami_version=plan.inference_ami,
        **_instances(plan),
    )


def _instances(plan: HostingPlan) -> dict[str, Any]:
    """One type, or a pool of types of which the first has priority 1."""
    if len(plan.instances) == 1:
        return {"instance_type": plan.instances[0]}
    pools = [
        _Config.InstancePoolProperty(instance_type=one, priority=priority)
        for priority, one in enumerate(plan.instances, 1)
    ]
    return {
        "instance_pools": pools,
        "variant_instance_provision_timeout_in_seconds": plan.provision_timeout_seconds,
    }


def _from_the_config(plan: HostingPlan) -> list[sagemaker.CfnEndpoint.VariantPropertyProperty]:
    """What an update takes from the new configuration rather than from the running endpoint.

    A scaled endpoint keeps the instances that it has scaled to; a fixed one goes to the count of the config,
    also when it was scaled before.
    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_VariantProperty.html
    """
    kinds = ["DesiredWeight", "DataCaptureConfig"]
    kinds += [] if plan.autoscaling else ["DesiredInstanceCount"]
    return [
        sagemaker.CfnEndpoint.VariantPropertyProperty(variant_property_type=kind) for kind in sorted(kinds)
    ]
