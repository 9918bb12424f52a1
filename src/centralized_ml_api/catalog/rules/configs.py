"""Which of a model's inference configurations applies, and the spec that it results in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.catalog.failures import InexpressibleConfigError, UnknownConfigError
from centralized_ml_api.catalog.spec import Spec
from centralized_ml_api.catalog.suggestion import closest
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Mapping

_RANKING = "overall"
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
"""What a component cannot override.

Source: the deny list of `JumpStartConfigComponent` in sagemaker-core 2.27.0.
"""


@record
class Choice:
    """The configuration's name (None where the model has none), the spec that then applies, and warnings."""

    name: str | None
    spec: Spec
    warnings: tuple[str, ...] = ()


def choose_config(spec: Spec, wanted: str | None) -> Choice:
    """Rules 5 and 16: returns the wanted configuration, else the highest-ranked one that can be deployed.

    The instance type does not matter here.

    Raises:
        UnknownConfigError: The model has no configuration of that name.
        InexpressibleConfigError: The wanted one, or each of them, needs a draft model.
    """
    names = ranked_configs(spec)
    if wanted is not None:
        return _named(spec, wanted, names)
    candidates: list[str | None] = [*names] or [None]
    for index, name in enumerate(candidates):
        effective = build_effective(spec, name)
        if not needs_draft_model(effective):
            return Choice(name, effective, _skipped(candidates[:index], name))
    raise _inexpressible(spec, names, names)


def ranked_configs(spec: Spec) -> list[str]:
    """Returns the names of the configurations, the best first; without a ranking, in alphabetical order."""
    known = spec.get("inference_configs") or {}
    ranking = (spec.get("inference_config_rankings") or {}).get(_RANKING)
    if not ranking:
        return sorted(known)
    return [name for name in ranking.get("rankings") or [] if name in known] or sorted(known)


def needs_draft_model(effective: Spec) -> bool:
    """Returns whether a second, small model is needed, which CloudFormation's container cannot express.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-sagemaker-model-containerdefinition.html
    (it has no AdditionalModelDataSources, which the API has).
    """
    sources = effective.get("hosting_additional_data_sources") or {}
    return bool(sources.get("speculative_decoding"))


def build_effective(spec: Spec, config: str | None) -> Spec:
    """Rules 6 and 14: returns a new spec in which the configuration's components override the base in turn.

    Objects merge key by key, everything else replaces. Null values of the base are dropped, those of a
    component are kept: they remove a value. Model packages have an environment of their own.

    Pure; what does not change is shared with `spec`, so nobody may change the result.
    """
    base = _without_nulls(spec)
    if config is None:
        return base
    components = spec.get("inference_config_components") or {}
    for name in (spec["inference_configs"][config] or {}).get("component_names") or []:
        component = components.get(name) or {}
        base = _overlaid(
            base, {key: value for key, value in component.items() if key not in NEVER_OVERRIDDEN}
        )
    if base.get("hosting_model_package_arns"):
        base["inference_environment_variables"] = []
    return base


def _named(spec: Spec, wanted: str, names: list[str]) -> Choice:
    known = sorted(spec.get("inference_configs") or {})
    if wanted not in known:
        near = closest(wanted, known, 1)
        raise UnknownConfigError(
            f"{spec['model_id']} has no inference configuration {wanted!r}",
            found=f'"{wanted}"',
            expected=f"one of {', '.join(known)}" if known else "none: the model has no configurations",
            fix=f'write "{near[0]}"' if near else 'remove "inference_config"',
        )
    effective = build_effective(spec, wanted)
    if needs_draft_model(effective):
        raise _inexpressible(spec, [wanted], names)
    return Choice(wanted, effective)


def _skipped(above: list[str | None], taken: str | None) -> tuple[str, ...]:
    if not above:
        return ()
    skipped = ", ".join(map(str, above))
    why = f"configuration {skipped} needs a draft model, which CloudFormation cannot describe"
    return (f"{why}; {taken}, the next in rank, is used",)


def _inexpressible(spec: Spec, refused: list[str], names: list[str]) -> InexpressibleConfigError:
    others = [name for name in names if not needs_draft_model(build_effective(spec, name))]
    what = f"configuration {', '.join(refused)} of " if refused else ""
    return InexpressibleConfigError(
        f"{what}{spec['model_id']} needs a draft model, which CloudFormation cannot describe",
        expected=f"a configuration without one: {', '.join(others)}" if others else "a model without one",
        fix=f'write "{others[0]}"' if others else "choose another model or version",
    )


def _without_nulls(value: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: inner for key, inner in value.items() if inner is not None}
    return {key: _without_nulls(inner) if isinstance(inner, dict) else inner for key, inner in kept.items()}


def _overlaid(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        below = base.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            merged[key] = _overlaid(below, value)
        else:
            merged[key] = value
    return merged
