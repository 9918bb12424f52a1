"""The gap: `AWS::ApplicationAutoScaling::ScalingPolicy` is skipped."""

from __future__ import annotations

from typing import Any, ClassVar

from moto.applicationautoscaling.models import applicationautoscaling_backends
from moto.core.common_models import CloudFormationModel

from support.moto_extension.added_resource import AddedResource, Properties


def close() -> None:
    """Defining the class is enough: moto looks for subclasses."""


class ScalingPolicy(AddedResource, CloudFormationModel):
    """Its physical id is `namespace|resource|dimension|name`, all that moto needs to find it again."""

    type_name: ClassVar[str] = "AWS::ApplicationAutoScaling::ScalingPolicy"

    @classmethod
    def write(cls, name: str, properties: Properties, account_id: str, region: str) -> str:
        """Puts the policy on its target."""
        resource, dimension, namespace = _target(properties)
        policy_name = properties.get("PolicyName", name)
        applicationautoscaling_backends[account_id][region].put_scaling_policy(
            policy_name,
            namespace,
            resource,
            dimension,
            properties.get("TargetTrackingScalingPolicyConfiguration")
            or properties["StepScalingPolicyConfiguration"],
            properties["PolicyType"],
        )
        return f"{namespace}|{resource}|{dimension}|{policy_name}"

    def delete(self, account_id: str, region: str) -> None:
        """Takes the policy, and moto its alarms."""
        namespace, resource, dimension, policy_name = self.physical_resource_id.split("|")
        backend = applicationautoscaling_backends[account_id][region]
        backend.delete_scaling_policy(policy_name, namespace, resource, dimension)


def _target(properties: dict[str, Any]) -> list[str]:
    if "ScalingTargetId" in properties:
        return str(properties["ScalingTargetId"]).split("|")
    return [properties[key] for key in ("ResourceId", "ScalableDimension", "ServiceNamespace")]
