"""A spec and the components of one inference configuration -> the spec that applies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from centralized_ml_api.catalog.spec import Spec

NEVER_OVERRIDDEN = frozenset(
    {
        "model_id",
        "url",
        "version",
        "min_sdk_version",
        "deprecated",
        "deprecated_message",
        "deprecate_warn_message",
        "resource_name_base",
        "gated_bucket",
        "training_supported",
        "incremental_training_supported",
    }
)
"""What a component cannot change.

Source: the deny list of `JumpStartConfigComponent` in sagemaker-core 2.27.0.
"""


def build_effective(spec: Spec, config: str | None) -> Spec:
    """Rules 6 and 14: a new spec, with each component of the configuration laid over the base in turn.

    Objects merge key by key, everything else replaces. Null values of the base are dropped, those of a
    component are not: they take a value away. Model packages bring their own environment.

    Pure; what does not change is shared with `spec`, whose reader must not change it either.
    """
    base = _without_nulls(spec)
    if config is None:
        return base
    components = spec.get("inference_config_components") or {}
    for name in (spec["inference_configs"][config] or {}).get("component_names") or []:
        component = components.get(name) or {}
        base = _overlaid(base, {key: one for key, one in component.items() if key not in NEVER_OVERRIDDEN})
    if base.get("hosting_model_package_arns"):
        base["inference_environment_variables"] = []
    return base


def _without_nulls(value: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: one for key, one in value.items() if one is not None}
    return {key: _without_nulls(one) if isinstance(one, dict) else one for key, one in kept.items()}


def _overlaid(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, one in over.items():
        below = base.get(key)
        merged[key] = _overlaid(below, one) if isinstance(below, dict) and isinstance(one, dict) else one
    return merged
