"""How many instances run: target tracking on calls per instance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import CfnResource
from constructs import Construct

if TYPE_CHECKING:
    from centralized_ml_api.plan.types import AutoscalingPlan

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
        target = CfnResource(
            self,
            "Target",
            type="AWS::ApplicationAutoScaling::ScalableTarget",
            properties={
                "ServiceNamespace": _NAMESPACE,
                "ScalableDimension": _DIMENSION,
                "ResourceId": f"endpoint/{endpoint_name}/variant/{variant}",
                "MinCapacity": plan.min_capacity,
                "MaxCapacity": plan.max_capacity,
            },
        )
        CfnResource(
            self,
            "Policy",
            type="AWS::ApplicationAutoScaling::ScalingPolicy",
            properties={
                "PolicyName": "InvocationsPerInstance",
                "PolicyType": "TargetTrackingScaling",
                "ScalingTargetId": target.ref,
                "TargetTrackingScalingPolicyConfiguration": _track(plan.invocations_per_instance),
            },
        )


def _track(invocations: int) -> dict[str, Any]:
    return {
        "TargetValue": invocations,
        "PredefinedMetricSpecification": {"PredefinedMetricType": _METRIC},
    }
