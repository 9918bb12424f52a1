"""What runs: an image of the region, or a model package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.catalog.failures import UnavailableError
from centralized_ml_api.catalog.rules.variants import regional_value, regions_of

if TYPE_CHECKING:
    from centralized_ml_api.catalog.spec import Spec


def find_package(spec: Spec, instance: str, region: str) -> str | None:
    """Rule 10: the ARN of the model package, or None where the model is none.

    Raises:
        UnavailableError: it is a package, but not in this region.
    """
    own = regional_value(spec, instance, "model_package_arn", region)
    if own:
        return own
    arns: dict[str, str] = spec.get("hosting_model_package_arns") or {}
    if arns and not arns.get(region):
        raise _unavailable(spec, "model package", region, instance, sorted(arns))
    return arns.get(region)


def find_image(spec: Spec, instance: str, region: str) -> str:
    """Rule 9: the container image for this type in this region.

    Raises:
        UnavailableError: there is none; the regions that have one are named.
    """
    image = regional_value(spec, instance, "image_uri", region)
    if not image:
        raise _unavailable(spec, "container image", region, instance, regions_of(spec, instance, "image_uri"))
    return image


def _unavailable(spec: Spec, what: str, region: str, instance: str, regions: list[str]) -> UnavailableError:
    name = f"{spec['model_id']} {spec['version']}"
    elsewhere = region not in regions and bool(regions)
    return UnavailableError(
        f"{name} has no {what} for {instance} in {region}",
        expected=f"one of the regions {', '.join(regions)}" if elsewhere else "an instance type with one",
        fix=f"deploy to {regions[0]}" if elsewhere else "choose another instance type or version",
    )
