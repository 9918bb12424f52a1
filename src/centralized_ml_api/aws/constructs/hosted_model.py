"""A model on SageMaker: the model, how it is hosted, and the endpoint, which stays when the others change.

Nothing here has a fixed name. A changed model or configuration is made anew before the old one goes, which a
fixed name would prevent; the endpoint then moves to the new configuration while it serves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import CfnResource
from constructs import Construct

from centralized_ml_api.aws.constructs.autoscaling import InstanceScaling

if TYPE_CHECKING:
    from aws_cdk import Reference

    from centralized_ml_api.catalog.facts import ModelData
    from centralized_ml_api.plan.aws.types import ContainerPlan, HostingPlan

VARIANT = "AllTraffic"
"""The one production variant of an endpoint."""


class HostedModel(Construct):
    """`endpoint_name` is SageMaker's name of the endpoint, `endpoint_arn` what IAM knows it by.

    The CDK has no classes of its own for SageMaker, only generated ones, whose import costs more than all of
    this; so the properties stand here in CloudFormation's words.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, plan: HostingPlan, role_arn: Reference
    ) -> None:
        super().__init__(scope, construct_id)
        model = self._add("Model", "Model", _model(plan, role_arn))
        variant = _variant(plan, model.get_att("ModelName"))
        config = self._add("Config", "EndpointConfig", {"ProductionVariants": [variant]})
        config_name = config.get_att("EndpointConfigName")
        endpoint = self._add("Endpoint", "Endpoint", _endpoint(plan, config_name))
        self.endpoint_name = endpoint.get_att("EndpointName").to_string()
        self.endpoint_arn = endpoint.ref  # SageMaker's ARNs are in small letters, whatever the name is
        if plan.autoscaling:
            InstanceScaling(
                self, "Scaling", plan=plan.autoscaling, endpoint_name=self.endpoint_name, variant=VARIANT
            )

    def _add(self, construct_id: str, kind: str, properties: dict[str, Any]) -> CfnResource:
        return CfnResource(self, construct_id, type=f"AWS::SageMaker::{kind}", properties=properties)


def _model(plan: HostingPlan, role_arn: Reference) -> dict[str, Any]:
    return {
        "ExecutionRoleArn": role_arn,
        "PrimaryContainer": _container(plan.container),
        **_known(EnableNetworkIsolation=plan.network_isolation),
    }


def _known(**properties: Any) -> dict[str, Any]:
    """Those that the plan decides; SageMaker has its own defaults for the others."""
    return {name: value for name, value in properties.items() if value is not None}


def _container(plan: ContainerPlan) -> dict[str, Any]:
    """A package brings its image and artifacts and takes neither of ours."""
    return _known(
        Image=plan.image,
        ModelPackageName=plan.package_arn,
        Environment=dict(plan.environment) or None,
        **_artifacts(plan.data, accept_eula=plan.accept_eula),
    )


def _artifacts(data: ModelData | None, *, accept_eula: bool) -> dict[str, Any]:
    if data is None:
        return {}
    if data.type is None:
        return {"ModelDataUrl": data.uri}
    source = {
        "S3Uri": data.uri,
        "S3DataType": data.type,
        "CompressionType": data.compression or "None",
        **({"ModelAccessConfig": {"AcceptEula": True}} if accept_eula else {}),
    }
    return {"ModelDataSource": {"S3DataSource": source}}


def _variant(plan: HostingPlan, model_name: Reference) -> dict[str, Any]:
    return _known(
        VariantName=VARIANT,
        ModelName=model_name,
        InitialInstanceCount=plan.initial_count,
        InitialVariantWeight=1,
        VolumeSizeInGB=plan.volume_gib,
        ModelDataDownloadTimeoutInSeconds=plan.download_timeout_seconds,
        ContainerStartupHealthCheckTimeoutInSeconds=plan.startup_timeout_seconds,
        InferenceAmiVersion=plan.inference_ami,
        **_instances(plan),
    )


def _instances(plan: HostingPlan) -> dict[str, Any]:
    """One type, or a pool of types of which the first has priority 1."""
    if len(plan.instances) == 1:
        return {"InstanceType": plan.instances[0]}
    return {
        "InstancePools": [
            {"InstanceType": one, "Priority": priority} for priority, one in enumerate(plan.instances, 1)
        ],
        "VariantInstanceProvisionTimeoutInSeconds": plan.provision_timeout_seconds,
    }


def _endpoint(plan: HostingPlan, config_name: Reference) -> dict[str, Any]:
    return {
        "EndpointConfigName": config_name,
        "RetainAllVariantProperties": True,
        "ExcludeRetainedVariantProperties": [
            {"VariantPropertyType": kind} for kind in _from_the_config(plan)
        ],
    }


def _from_the_config(plan: HostingPlan) -> list[str]:
    """What an update takes from the new configuration rather than from the running endpoint.

    A scaled endpoint keeps the instances that it has scaled to; a fixed one goes to the count of the config,
    also when it was scaled before.
    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_VariantProperty.html
    """
    kinds = ["DesiredWeight", "DataCaptureConfig"]
    kinds += [] if plan.autoscaling else ["DesiredInstanceCount"]
    return sorted(kinds)
