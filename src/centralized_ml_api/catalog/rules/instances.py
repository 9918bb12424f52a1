"""Instance types: which one is chosen, and what a spec says of it, by exact type first, then by family."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.catalog.failures import MalformedSpecError, UnsupportedInstanceError
from centralized_ml_api.catalog.suggestion import closest
from centralized_ml_api.instance_types import instance_family

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from centralized_ml_api.catalog.spec import Spec
    from centralized_ml_api.errors import CatalogError


def choose_instance(spec: Spec, wanted: str | None) -> str:
    """Returns the wanted type, else the model's default (rule 7).

    Raises:
        MalformedSpecError: No type was asked for, and the spec names no default.
    """
    chosen = wanted or default_instance(spec)
    if not chosen:
        raise MalformedSpecError(
            f"{spec['model_id']} {spec['version']} names no default instance type",
            fix="name an instance type",
        )
    return chosen


def default_instance(spec: Spec) -> str:
    """Returns the type that the publisher recommends; empty if it names none."""
    return spec.get("default_inference_instance_type") or ""


def supported_instances(spec: Spec) -> tuple[str, ...]:
    """Returns the types that the publisher tested, in the spec's order; empty if it names none."""
    return tuple(spec.get("supported_inference_instance_types") or ())


def check_instance(spec: Spec, instance: str) -> Iterator[CatalogError]:
    """Refuses a type that the publisher did not test (rule 7). A spec that names none allows every type."""
    supported = supported_instances(spec)
    if not supported or instance in supported:
        return
    near = closest(instance, supported, 1)
    yield UnsupportedInstanceError(
        f"{spec['model_id']} is not supported on {instance}",
        found=f'"{instance}"',
        expected=", ".join(supported),
        fix=f'write "{near[0] if near else default_instance(spec) or supported[0]}"',
    )


def variant_properties(spec: Spec, instance: str, group: str = "properties") -> list[Mapping[str, Any]]:
    """Returns the properties of the exact type, then of its family; empty objects if there are none.

    Args:
        spec: The effective spec.
        instance: The instance type.
        group: `properties`, or `regional_properties` for the names of aliases.
    """
    variants = _table(spec).get("variants") or {}
    family = instance_family(instance)
    names = (instance, family) if family else (instance,)
    return [(variants.get(name) or {}).get(group) or {} for name in names]


def variant_value(spec: Spec, instance: str, name: str) -> Any:
    """Returns one property: the exact type's, else its family's, else None.

    Args:
        spec: The effective spec.
        instance: The instance type.
        name: The property, such as `prepacked_artifact_key`.
    """
    return next((found[name] for found in variant_properties(spec, instance) if found.get(name)), None)


def variant_merged(spec: Spec, instance: str, name: str) -> dict[str, Any]:
    """Returns a new object with the family's members, overridden by the exact type's (rule 14).

    Args:
        spec: The effective spec.
        instance: The instance type.
        name: The property, an object such as `environment_variables`.
    """
    merged: dict[str, Any] = {}
    for properties in reversed(variant_properties(spec, instance)):
        merged.update(properties.get(name) or {})
    return merged


def regional_value(spec: Spec, instance: str, name: str, region: str) -> str | None:
    """Returns a property that differs between regions (rule 9); None if this region has none.

    With `regional_aliases`, the properties are names, `$alias`, that each region defines, and a property
    without the `$` is ignored. Without them, the properties are the values themselves.

    Args:
        spec: The effective spec.
        instance: The instance type.
        name: The property, such as `image_uri`.
        region: AWS's name of the region.
    """
    aliases = _table(spec).get("regional_aliases")
    group = "regional_properties" if aliases else "properties"
    values = (
        found[name] for found in variant_properties(spec, instance, group) if found.get(name) is not None
    )
    written: str | None = next(values, None) or None
    if not aliases or written is None:
        return written
    return (aliases.get(region) or {}).get(written[1:]) if written.startswith("$") else None


def regions_of(spec: Spec, instance: str, name: str) -> list[str]:
    """Returns the regions that have a value, sorted; empty if the property does not depend on the region.

    Args:
        spec: The effective spec.
        instance: The instance type.
        name: The property, such as `image_uri`.
    """
    aliases = _table(spec).get("regional_aliases") or {}
    return sorted(region for region in aliases if regional_value(spec, instance, name, region))


def _table(spec: Spec) -> Mapping[str, Any]:
    return spec.get("hosting_instance_type_variants") or {}
