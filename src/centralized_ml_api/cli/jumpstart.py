"""What the verbs share that look models up in JumpStart's catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from centralized_ml_api.cli import output
from centralized_ml_api.errors import ConfigError
from centralized_ml_api.plan.facts import resolve_facts

if TYPE_CHECKING:
    from centralized_ml_api.catalog.catalog import Catalog
    from centralized_ml_api.catalog.facts import Fidelity, ModelFacts, Source
    from centralized_ml_api.config.load import LoadedConfig
    from centralized_ml_api.errors import Problem

offline_option = click.option(
    "--offline", is_flag=True, help="Look nothing up outside of this machine: lock, cache and snapshot only."
)


def look_up(
    loaded: LoadedConfig, *, region: str, offline: bool
) -> tuple[dict[str, ModelFacts], tuple[Problem, ...]]:
    """Every JumpStart model of a config looked up; what the sources had to say is shown.

    A config without JumpStart models opens nothing.

    Raises:
        CatalogError: the lock file or the mirror is damaged.
    """
    if not any(model.model_id for model in loaded.config.models):
        return {}, ()
    from centralized_ml_api.catalog.catalog import open_catalog  # noqa: PLC0415  # only what uses it pays for it

    catalog = open_catalog(loaded.path, offline=offline)
    facts, problems = resolve_facts(loaded, catalog, region=region)
    tell_warnings(catalog)
    return facts, problems


def check_jumpstart(loaded: LoadedConfig, region: str) -> dict[str, ModelFacts]:
    """The facts of what the config asks JumpStart for, by entry; makes sure that JumpStart has it.

    Raises:
        ConfigError: it has not.
        CatalogError: the lock file or the mirror is damaged.
    """
    facts, problems = look_up(loaded, region=region, offline=False)
    if any(problem.severity == "error" for problem in problems):
        raise ConfigError(problems, source=loaded.document.text)
    return facts


def describe_origin(source: Source, fidelity: Fidelity) -> str:
    """Where facts are from: `from the snapshot, in part`."""
    place = "from JumpStart" if source == "live" else f"from the {source}"
    return f"{place}, in part" if fidelity == "partial" else place


def tell_warnings(catalog: Catalog) -> None:
    """What the sources had to say, to stderr."""
    for warning in catalog.warnings:
        output.talk(f"Note: {warning}.")
