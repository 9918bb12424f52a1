"""What a spec says about one instance type: first what it says of the very type, then of its family."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.catalog.rules.instances import instance_family

if TYPE_CHECKING:
    from collections.abc import Mapping

    from centralized_ml_api.catalog.spec import Spec


def variant_properties(spec: Spec, instance: str, group: str = "properties") -> list[Mapping[str, Any]]:
    """The properties of the exact type and of its family, in this order; empty ones where there are none."""
    variants = _table(spec).get("variants") or {}
    family = instance_family(instance)
    names = (instance, family) if family else (instance,)
    return [(variants.get(name) or {}).get(group) or {} for name in names]


def variant_value(spec: Spec, instance: str, name: str) -> Any:
    """One property: the exact type's, else its family's, else None."""
    return next((found[name] for found in variant_properties(spec, instance) if found.get(name)), None)


def variant_merged(spec: Spec, instance: str, name: str) -> dict[str, Any]:
    """Rule 14: a new object of the family's members and over them the exact type's."""
    merged: dict[str, Any] = {}
    for properties in reversed(variant_properties(spec, instance)):
        merged.update(properties.get(name) or {})
    return merged


def regional_value(spec: Spec, instance: str, name: str, region: str) -> str | None:
    """Rule 9: a property that differs from region to region.

    With `regional_aliases` the properties hold names, `$alias`, that each region spells out; a property
    without the `$` means nothing then. Without them the properties hold the value itself.
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
    """The regions in which the property has a value, sorted; empty where it does not depend on the region."""
    aliases = _table(spec).get("regional_aliases") or {}
    return sorted(region for region in aliases if regional_value(spec, instance, name, region))


def _table(spec: Spec) -> Mapping[str, Any]:
    return spec.get("hosting_instance_type_variants") or {}
