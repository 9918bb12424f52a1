"""How many instances run: target tracking on calls per instance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_applicationautoscaling as scaling
from constructs import Construct

if TYPE_CHECKING:
    from centralized_ml_api.plan.model import AutoscalingPlan

_NAMESPACE = "sagemaker"
_DIMENSION = "sagemaker:variant:DesiredInstanceCount"
_METRIC = "SageMakerVariantInvocationsPerInstance"


class InstanceScaling(Construct):
    """The range of the count and the policy that moves it.

    Application Auto Scaling acts by its own service-linked role, so there is no role here.
    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-prerequisites.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        plan: AutoscalingPlan,
        endpoint_name: str,
        variant: str,
    ) -> None:
        super().__init__(scope, construct_id)
        target = scaling.CfnScalableTarget(
            self,
            "Target",
            service_namespace=_NAMESPACE,
            scalable_dimension=_DIMENSION,
            resource_id=f"endpoint/{endpoint_name}/variant/{variant}",
            min_capacity=plan.min_capacity,
            max_capacity=plan.max_capacity,
        )
        scaling.CfnScalingPolicy(
            self,
            "Policy",
            policy_name="InvocationsPerInstance",
            policy_type="TargetTrackingScaling",
            scaling_target_id=target.ref,
            target_tracking_scaling_policy_configuration=_track(plan.invocations_per_instance),
        )


def _track(
    invocations: int,
) -> scaling.CfnScalingPolicy.TargetTrackingScalingPolicyConfigurationProperty:
    metric = scaling.CfnScalingPolicy.PredefinedMetricSpecificationProperty(predefined_metric_type=_METRIC)
    return scaling.CfnScalingPolicy.TargetTrackingScalingPolicyConfigurationProperty(
        target_value=invocations, predefined_metric_specification=metric
    )
