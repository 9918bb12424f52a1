"""The gap: moto refuses instance types that are newer than its list, such as `ml.g5.2xlarge`."""

from __future__ import annotations

from moto.sagemaker.models import FakeEndpointConfig

from support.moto_extension.replaced import replace_attribute


def close() -> None:
    """Any type that looks like one is right."""
    replace_attribute(FakeEndpointConfig, "validate_instance_type", _validate)


def _validate(self: FakeEndpointConfig, instance_type: str) -> None:
    del self
    if not instance_type.startswith("ml."):
        raise ValueError(f"{instance_type} is not an instance type")
