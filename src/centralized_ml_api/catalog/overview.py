"""What is known of a model without its spec, so that a list can show hundreds of models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from centralized_ml_api.catalog.rules.licence import LicenceName, licence_of
from centralized_ml_api.catalog.rules.regions import find_buckets
from centralized_ml_api.catalog.rules.size import count_of
from centralized_ml_api.catalog.rules.task import TASK_WORDS, task_of
from centralized_ml_api.catalog.sources.snapshot import load_folded

if TYPE_CHECKING:
    from centralized_ml_api.catalog.manifest import Row


@dataclass(frozen=True, slots=True)
class Overview:
    """One model. What is unknown is None.

    `billions` counts its parameters; `instance` is its default type; `asks_licence` says whether a licence
    must be accepted before use. `searched` is the lower-case text that a search looks through.
    """

    model_id: str
    version: str
    task: str
    is_proprietary: bool
    billions: float | None
    instance: str | None
    licence: LicenceName | None
    asks_licence: bool | None
    searched: str

    def holds(self, words: str) -> bool:
        """Returns whether the model matches all search words."""
        return all(word in self.searched for word in words.lower().split())


def build_overview(row: Row, region: str) -> Overview:
    """Builds the overview of a row, with what the shipped snapshot knows of the model in its own version."""
    task = task_of(row.model_id)
    known = load_folded()["models"].get(row.model_id)
    eula_key = known.get("eula") if known else None
    eula_url = f"{find_buckets(region).content_url}/{eula_key}" if eula_key else None
    return Overview(
        model_id=row.model_id,
        version=row.version,
        task=task,
        is_proprietary=row.kind == "proprietary",
        billions=count_of(row.model_id),
        instance=known["default"] if known else None,
        licence=licence_of(row.model_id, eula_url),
        asks_licence=bool(eula_key or known.get("gated")) if known else None,
        searched=" ".join([row.model_id, task, TASK_WORDS.get(task, ""), *row.keywords]).lower(),
    )
