"""A model on SageMaker: model, endpoint configuration, and the endpoint, which stays when the others change.

Nothing here has a fixed name. A changed model or configuration is made before the old one is deleted, which a
fixed name would prevent; the endpoint then moves to the new configuration while it serves.

Two things cannot change in place: the instance type of an endpoint that is scaled, and whether an endpoint
hosts an inference component. Such an endpoint is another resource for each type, and so are its configuration
and its scaling.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import CfnResource
from constructs import Construct

from centralized_ml_api.aws.constructs.endpoint_address import EndpointAddress, build_generation
from centralized_ml_api.aws.constructs.inference_component import InferenceComponent, build_component_name

if TYPE_CHECKING:
    from aws_cdk import Reference

    from centralized_ml_api.aws.constructs.event import EndpointEnds
    from centralized_ml_api.aws.constructs.stack_context import StackContext
    from centralized_ml_api.catalog.facts import ModelData
    from centralized_ml_api.plan.aws.types import ContainerPlan, HostingPlan
    from centralized_ml_api.plan.types import AutoscalingPlan

VARIANT = "AllTraffic"
"""The one production variant of an endpoint."""


class HostedModel(Construct):
    """A model behind an endpoint of our own, `address`, which `ends` delete when the event is over.

    `component_config` is the configuration of the endpoint where it hosts an inference component, None
    elsewhere: such a configuration has the network of the model, besides the model.

    The CDK has only generated classes for SageMaker, whose import costs more than all of this; so the
    properties stand here in CloudFormation's words.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        plan: HostingPlan,
        role_arn: Reference | str,
        stack_context: StackContext,
        ends: EndpointEnds | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        model = self._add("Model", "Model", _model(plan, role_arn))
        model_name, generation = model.get_att("ModelName"), _generation(plan)
        config = self._add(f"Config{generation}", "EndpointConfig", _config(plan, model_name, role_arn))
        self.component_config = config if plan.copy else None
        settings = _endpoint(plan, config.get_att("EndpointConfigName"))
        endpoint = self._add(f"Endpoint{generation}", "Endpoint", settings)
        self.address = EndpointAddress(
            endpoint.get_att("EndpointName").to_string(),
            endpoint.ref,  # SageMaker's ARNs are in lower case, whatever the name is
            generation,
        )
        if plan.copy:
            name = build_component_name(self, stack_context.stack_name, plan.name, generation)
            self.address = self.address.with_component(name, stack_context)
            InferenceComponent(
                self,
                f"Scaling{generation}",
                name=name,
                plan=plan,
                copy=plan.copy,
                variant=VARIANT,
                endpoint_name=self.address.name,
                model_name=model_name,
            )
        elif plan.autoscaling:
            scope = Construct(self, f"Scaling{generation}")
            _build_scaling(scope, plan.autoscaling, self.address.name)
        self.ends = [*ends.build(self, self.address)] if ends else []

    def _add(self, construct_id: str, kind: str, properties: dict[str, Any]) -> CfnResource:
        return CfnResource(self, construct_id, type=f"AWS::SageMaker::{kind}", properties=properties)


def _generation(plan: HostingPlan) -> str:
    """Returns what ends the logical ids of a scaled endpoint; nothing for one that is not scaled.

    SageMaker refuses another instance type while Application Auto Scaling scales the endpoint. It would do so
    even where the scaling goes away in the same deploy: CloudFormation updates before it deletes.
    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-scaling-update.html
    A model and an inference component are hosted by different configurations, and no update leads from one
    to the other.
    """
    if plan.copy:
        return build_generation(("component", *plan.instances))
    return build_generation(plan.instances) if plan.autoscaling else ""


def _model(plan: HostingPlan, role_arn: Reference | str) -> dict[str, Any]:
    return {
        "ExecutionRoleArn": role_arn,
        "PrimaryContainer": _container(plan.container),
        **_decided(EnableNetworkIsolation=plan.network_isolation),
    }


def _decided(**properties: Any) -> dict[str, Any]:
    """Returns those that the plan decides; SageMaker has defaults for the others."""
    return {name: value for name, value in properties.items() if value is not None}


def _container(plan: ContainerPlan) -> dict[str, Any]:
    """Builds the container; a package brings its own image and artifacts."""
    return _decided(
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


def _config(plan: HostingPlan, model_name: Reference, role_arn: Reference | str) -> dict[str, Any]:
    """Builds the configuration; one that hosts a component names the role and the isolation of its model.

    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html
    """
    if plan.copy is None:
        return {"ProductionVariants": [_variant(plan, model_name)]}
    return {
        "ProductionVariants": [_component_variant(plan)],
        "ExecutionRoleArn": role_arn,
        **({"EnableNetworkIsolation": True} if plan.network_isolation else {}),
    }


def _component_variant(plan: HostingPlan) -> dict[str, Any]:
    """Builds the variant that hosts a component: it names no model, and SageMaker scales its instances."""
    scaling = plan.autoscaling
    return _decided(
        VariantName=VARIANT,
        InitialInstanceCount=plan.initial_count,
        ManagedInstanceScaling=_decided(
            Status="ENABLED", MinInstanceCount=0, MaxInstanceCount=scaling.max_capacity if scaling else None
        ),
        VolumeSizeInGB=plan.volume_gib,
        InferenceAmiVersion=plan.inference_ami,
        **_instances(plan),
    )


def _variant(plan: HostingPlan, model_name: Reference) -> dict[str, Any]:
    return _decided(
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
    """Builds one type, or a pool of types of which the first has priority 1."""
    if len(plan.instances) == 1:
        return {"InstanceType": plan.instances[0]}
    return {
        "InstancePools": [
            {"InstanceType": instance, "Priority": priority}
            for priority, instance in enumerate(plan.instances, 1)
        ],
        "VariantInstanceProvisionTimeoutInSeconds": plan.provision_timeout_seconds,
    }


def _endpoint(plan: HostingPlan, config_name: Reference) -> dict[str, Any]:
    """Builds the endpoint, and which settings an update takes from the new configuration.

    A scaled endpoint keeps the instances that it has scaled to; a fixed one goes to the count of the config.
    Nothing here may change without another configuration: SageMaker refuses an update to the one in use.
    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_VariantProperty.html
    """
    from_config = [
        "DataCaptureConfig",
        *([] if plan.autoscaling else ["DesiredInstanceCount"]),
        "DesiredWeight",
    ]
    return {
        "EndpointConfigName": config_name,
        "RetainAllVariantProperties": True,
        "ExcludeRetainedVariantProperties": [{"VariantPropertyType": kind} for kind in from_config],
    }


def _build_scaling(scope: Construct, plan: AutoscalingPlan, endpoint_name: str) -> None:
    """Builds the range of the instance count, and the policy that tracks calls per instance.

    Application Auto Scaling acts by its own service-linked role, so there is no role here.
    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-prerequisites.html
    """
    target = CfnResource(
        scope,
        "Target",
        type="AWS::ApplicationAutoScaling::ScalableTarget",
        properties={
            "ServiceNamespace": "sagemaker",
            "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
            "ResourceId": f"endpoint/{endpoint_name}/variant/{VARIANT}",
            "MinCapacity": plan.min_capacity,
            "MaxCapacity": plan.max_capacity,
        },
    )
    metric = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
    CfnResource(
        scope,
        "Policy",
        type="AWS::ApplicationAutoScaling::ScalingPolicy",
        properties={
            "PolicyName": "InvocationsPerInstance",
            "PolicyType": "TargetTrackingScaling",
            "ScalingTargetId": target.ref,
            "TargetTrackingScalingPolicyConfiguration": {
                "TargetValue": plan.invocations_per_instance,
                "PredefinedMetricSpecification": metric,
            },
        },
    )
