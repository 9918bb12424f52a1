"""The gap: moto refuses instance types newer than its list, such as `ml.g5.2xlarge`, and instance pools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.models import FakeEndpointConfig

from support.moto_extension.replaced import replace_attribute

if TYPE_CHECKING:
    from collections.abc import Iterator


def close() -> None:
    """Any type that looks like one is right; a variant names one, or a pool of them."""
    replace_attribute(FakeEndpointConfig, "validate_production_variants", _validate)


def _validate(self: FakeEndpointConfig, variants: list[dict[str, Any]]) -> None:
    del self
    for variant in variants:
        types = list(_types(variant))
        if not types or not all(each.startswith("ml.") for each in types):
            raise ValidationError(message=f"not instance types of a production variant: {types}")


def _types(variant: dict[str, Any]) -> Iterator[str]:
    if "InstanceType" in variant:
        yield variant["InstanceType"]
    for pool in variant.get("InstancePools", []):
        yield pool["InstanceType"]
