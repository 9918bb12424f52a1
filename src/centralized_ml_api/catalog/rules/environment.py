"""The container's environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.catalog.rules.variants import variant_merged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from centralized_ml_api.catalog.spec import Spec


def build_environment(spec: Spec, instance: str, user: Mapping[str, str]) -> dict[str, str]:
    """Rules 13 and 14: what the model needs, then its family's, then the exact type's, then the user's."""
    needed = {
        one["name"]: str(one.get("default"))
        for one in spec.get("inference_environment_variables") or []
        if one.get("name") and one.get("required_for_model_class")
    }
    special = variant_merged(spec, instance, "environment_variables")
    return {**needed, **{name: str(value) for name, value in special.items()}, **user}
