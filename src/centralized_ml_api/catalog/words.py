"""What callers read of a JumpStart model, whatever it is deployed on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from centralized_ml_api.catalog.rules.configs import choose_config
from centralized_ml_api.catalog.rules.licence import find_eula
from centralized_ml_api.catalog.rules.regions import find_buckets
from centralized_ml_api.catalog.rules.task import describe_task
from centralized_ml_api.catalog.spec import check_spec

if TYPE_CHECKING:
    from centralized_ml_api.catalog.spec import Spec


@dataclass(frozen=True, slots=True)
class ModelWords:
    """The task of a model, and where its licence can be read; None where it names none."""

    task: str
    licence_url: str | None


def build_words(spec: Spec, *, region: str, config: str | None) -> ModelWords:
    """The words of a spec, as `resolve` finds them. Pure.

    Raises:
        CatalogError: the spec is damaged, or has no such inference configuration.
    """
    check_spec(spec)
    chosen = choose_config(spec, config).spec
    return ModelWords(describe_task(chosen), find_eula(chosen, find_buckets(region)).url)
