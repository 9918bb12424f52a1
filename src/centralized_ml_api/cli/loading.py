"""Loads CONFIG for the verbs, and looks its JumpStart models up."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from centralized_ml_api.cli import output
from centralized_ml_api.commands import command, shown_path
from centralized_ml_api.config.load import load_config
from centralized_ml_api.config.render import count_problems
from centralized_ml_api.errors import CatalogError, ConfigError
from centralized_ml_api.plan.build import build_plan
from centralized_ml_api.plan.jumpstart_lookup import resolve_facts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from centralized_ml_api.catalog.catalog import Catalog
    from centralized_ml_api.catalog.facts import Fidelity, ModelFacts, Source
    from centralized_ml_api.config.load import LoadedConfig
    from centralized_ml_api.errors import Problem
    from centralized_ml_api.plan.types import ApiPlan


def load_plan_and_warn(config: Path) -> ApiPlan:
    """Returns the plan of the config; says how many warnings there are.

    Raises:
        ConfigError: The config has errors.
    """
    return build_plan(load_and_warn(config))


def load_and_warn(config: Path) -> LoadedConfig:
    """Returns the config; says how many warnings there are.

    Raises:
        ConfigError: The config has errors.
    """
    loaded = load_config(config, now=datetime.now(UTC))
    tell_warnings(loaded.warnings, config)
    return loaded


def tell_unknown_models(loaded: LoadedConfig) -> None:
    """Says which JumpStart ids this machine does not know: they change nothing here, and matter on AWS."""
    written = [model.model_id for model in loaded.config.models if model.model_id]
    if not written:
        return
    from centralized_ml_api.catalog.sources import snapshot

    if all(map(snapshot.lists, written)):
        return  # what follows takes longer to import than a start takes to plan
    from centralized_ml_api.catalog.catalog import open_catalog
    from centralized_ml_api.catalog.own_region import find_region

    try:
        catalog = open_catalog(loaded.path, offline=True)
        known = {row.model_id for row in catalog.rows(find_region(None))}
    except CatalogError:  # `check` says why
        return
    for model in loaded.config.models:
        if model.model_id and known and model.model_id not in known:
            output.talk(
                f"Note: JumpStart has no model {model.model_id}, as far as is known here; only AWS needs it."
                f" Details: {command('check', loaded.path)}"
            )


def tell_warnings(problems: Sequence[Problem], config: Path) -> None:
    """Says in one line how many of the problems are warnings and how to read them; nothing without any."""
    warnings = [problem for problem in problems if problem.severity == "warning"]
    if warnings:
        output.talk(f"{shown_path(config)}: {count_problems(warnings)}. Details: {command('check', config)}")


def look_up(
    loaded: LoadedConfig, *, region: str, offline: bool
) -> tuple[dict[str, ModelFacts], tuple[Problem, ...]]:
    """Looks every JumpStart model of a config up; says what the sources warn of.

    A config without JumpStart models opens nothing.

    Args:
        loaded: The config.
        region: The AWS region of the models.
        offline: Whether to use the lock file, the cache and the snapshot only.

    Returns:
        The facts by entry name, and the problems found.

    Raises:
        CatalogError: The lock file or the mirror is damaged.
    """
    if not any(model.model_id for model in loaded.config.models):
        return {}, ()
    from centralized_ml_api.catalog.catalog import open_catalog

    catalog = open_catalog(loaded.path, offline=offline)
    facts, problems = resolve_facts(loaded, catalog, region=region)
    tell_catalog_warnings(catalog)
    return facts, problems


def check_jumpstart(loaded: LoadedConfig, region: str) -> dict[str, ModelFacts]:
    """Returns the facts of the config's JumpStart models, by entry name.

    Raises:
        ConfigError: JumpStart does not have what the config asks for.
        CatalogError: The lock file or the mirror is damaged.
    """
    facts, problems = look_up(loaded, region=region, offline=False)
    _refuse_errors(problems, loaded.document.text)
    return facts


def describe_origin(source: Source, fidelity: Fidelity) -> str:
    """Returns where facts are from, such as `from the snapshot, in part`. Pure."""
    place = "from JumpStart" if source == "live" else f"from the {source}"
    return f"{place}, in part" if fidelity == "partial" else place


def tell_catalog_warnings(catalog: Catalog) -> None:
    """Prints what the catalogue's sources warn of."""
    for warning in catalog.warnings:
        output.talk(f"Note: {warning}.")


def _refuse_errors(problems: Sequence[Problem], text: str) -> None:
    if any(problem.severity == "error" for problem in problems):
        raise ConfigError(problems, source=text)
