"""What one machine knows of its entries beyond the plan, without asking anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.api.catalogue import Known
from centralized_ml_api.api.samples import load_samples
from centralized_ml_api.catalog.own_region import find_region
from centralized_ml_api.errors import CatalogError
from centralized_ml_api.plan.types import JumpStartModel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from centralized_ml_api.catalog.resolve import ModelWords
    from centralized_ml_api.plan.types import ApiPlan


def load_known(plan: ApiPlan) -> Known:
    """Samples that are files, and what lock, cache and snapshot say of JumpStart's models.

    Of a model that they do not have nothing is known.
    """
    models = {one.name: one.origin for one in plan.deployments if isinstance(one.origin, JumpStartModel)}
    words = _load_words(plan, models) if models else {}
    return Known(
        licences={name: one.licence_url for name, one in words.items() if one.licence_url},
        tasks={name: one.task for name, one in words.items()},
        samples=load_samples(plan),
    )


def _load_words(plan: ApiPlan, models: Mapping[str, JumpStartModel]) -> dict[str, ModelWords]:
    from centralized_ml_api.catalog.catalog import open_catalog  # noqa: PLC0415  # only what uses it pays for it
    from centralized_ml_api.catalog.resolve import build_words  # noqa: PLC0415
    from centralized_ml_api.catalog.sources.lock import LOCK_NAME  # noqa: PLC0415

    region, words = find_region(None), dict[str, "ModelWords"]()
    try:
        catalog = open_catalog(plan.folders[-1] / LOCK_NAME, offline=True)
    except CatalogError:  # `mlapi check` says why; a model is served without it
        return words
    for name, model in models.items():
        try:
            spec = catalog.find(model.model_id, model.version, region).spec
            words[name] = build_words(spec, region=region, config=model.inference_config)
        except CatalogError:
            continue
    return words
