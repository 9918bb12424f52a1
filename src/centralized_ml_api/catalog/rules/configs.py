"""Which of a model's inference configurations applies."""

from __future__ import annotations

from dataclasses import dataclass

from centralized_ml_api.catalog.failures import InexpressibleConfigError, UnknownConfigError
from centralized_ml_api.catalog.rules.effective import build_effective
from centralized_ml_api.catalog.spec import Spec
from centralized_ml_api.catalog.suggestion import closest

_RANKING = "overall"


@dataclass(frozen=True, slots=True)
class Choice:
    """The configuration's name (None where the model has none), the spec that then applies, and warnings."""

    name: str | None
    spec: Spec
    warnings: tuple[str, ...] = ()


def choose_config(spec: Spec, wanted: str | None) -> Choice:
    """Rules 5 and 16: the configuration that was asked for, else the highest in rank that can be deployed.

    The instance type does not matter here.

    Raises:
        UnknownConfigError: the model has no configuration of the wanted name.
        InexpressibleConfigError: the wanted one, or each of them, needs a draft model.
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
    """The names of the configurations, the best first; without a ranking, in alphabetical order."""
    known = spec.get("inference_configs") or {}
    ranking = (spec.get("inference_config_rankings") or {}).get(_RANKING)
    if not ranking:
        return sorted(known)
    return [name for name in ranking.get("rankings") or [] if name in known] or sorted(known)


def needs_draft_model(effective: Spec) -> bool:
    """Whether a second, small model must lie beside the first: CloudFormation's container cannot say so.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-sagemaker-model-containerdefinition.html
    (it has no AdditionalModelDataSources, which the API has).
    """
    sources = effective.get("hosting_additional_data_sources") or {}
    return bool(sources.get("speculative_decoding"))


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
    skipped = ", ".join(str(one) for one in above)
    why = f"configuration {skipped} needs a draft model, which CloudFormation cannot describe"
    return (f"{why}; {taken}, the next in rank, is used",)


def _inexpressible(spec: Spec, refused: list[str], names: list[str]) -> InexpressibleConfigError:
    others = [one for one in names if not needs_draft_model(build_effective(spec, one))]
    what = f"configuration {', '.join(refused)} of " if refused else ""
    return InexpressibleConfigError(
        f"{what}{spec['model_id']} needs a draft model, which CloudFormation cannot describe",
        expected=f"a configuration without one: {', '.join(others)}" if others else "a model without one",
        fix=f'write "{others[0]}"' if others else "choose another model or version",
    )
