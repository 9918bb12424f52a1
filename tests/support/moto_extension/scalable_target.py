"""The gap: `AWS::ApplicationAutoScaling::ScalableTarget` is skipped."""

from __future__ import annotations

from typing import ClassVar

from moto.applicationautoscaling.models import applicationautoscaling_backends
from moto.core.common_models import CloudFormationModel

from support.moto_extension.added_resource import AddedResource, Properties


def close() -> None:
    """Defining the class is enough: moto looks for subclasses."""


class ScalableTarget(AddedResource, CloudFormationModel):
    """Its physical id is `resource|dimension|namespace`, as CloudFormation's is."""

    type_name: ClassVar[str] = "AWS::ApplicationAutoScaling::ScalableTarget"

    @classmethod
    def write(cls, name: str, properties: Properties, account_id: str, region: str) -> str:
        """Registers the target; a registered one gets the new limits."""
        del name
        parts = (properties["ResourceId"], properties["ScalableDimension"], properties["ServiceNamespace"])
        resource, dimension, namespace = parts
        applicationautoscaling_backends[account_id][region].register_scalable_target(
            namespace,
            resource,
            dimension,
            int(properties["MinCapacity"]),
            int(properties["MaxCapacity"]),
            properties.get("RoleARN", ""),
            properties.get("SuspendedState"),  # type: ignore[arg-type]  # moto calls a block of flags a str
        )
        return "|".join(parts)

    def delete(self, account_id: str, region: str) -> None:
        """Nothing scales the variant any more."""
        resource, dimension, namespace = self.physical_resource_id.split("|")
        backend = applicationautoscaling_backends[account_id][region]
        backend.deregister_scalable_target(namespace, resource, dimension)
