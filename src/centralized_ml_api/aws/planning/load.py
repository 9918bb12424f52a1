"""Loads a config from disk and builds the plan of what will exist on AWS."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from centralized_ml_api.catalog.catalog import open_catalog
from centralized_ml_api.config.load import load_config
from centralized_ml_api.config.render import render_problems
from centralized_ml_api.errors import ConfigError
from centralized_ml_api.plan.aws.build import build_aws_plan
from centralized_ml_api.plan.aws.hours import keep_hours
from centralized_ml_api.plan.build import build_plan
from centralized_ml_api.plan.jumpstart_lookup import merge_problems, resolve_facts

if TYPE_CHECKING:
    from collections.abc import Callable

    from centralized_ml_api.aws.settings import Settings
    from centralized_ml_api.config.load import LoadedConfig
    from centralized_ml_api.plan.aws.types import AwsPlan
    from centralized_ml_api.plan.jumpstart_lookup import Looks


def load_aws_plan(settings: Settings, talk: Callable[[str], None]) -> AwsPlan:
    """Loads the config and builds its plan.

    Args:
        settings: Which config, for which region.
        talk: Shows warnings, and what a reader must know.

    Raises:
        ConfigError: The config has errors, by itself or against the JumpStart catalogue.
        CatalogError: The lock file or the mirror is damaged.
    """
    now = datetime.now(UTC)
    loaded = load_config(settings.config, now=now, region=settings.region)
    catalog = open_catalog(loaded.path, offline=settings.offline)
    plan = keep_hours(plan_for_aws(loaded, catalog, region=settings.region, talk=talk), now)
    for note in (*(f"{warning}." for warning in catalog.warnings), *plan.notes):
        talk(f"Note: {note}")
    return plan


def plan_for_aws(
    loaded: LoadedConfig, catalog: Looks, *, region: str, talk: Callable[[str], None]
) -> AwsPlan:
    """Builds the plan of a config, with the catalogue's facts.

    Args:
        loaded: The config.
        catalog: What it is asked about.
        region: Of the deployment.
        talk: Shows all warnings at once.

    Raises:
        ConfigError: The config contradicts the catalogue.
    """
    facts, found = resolve_facts(loaded, catalog, region=region)
    problems = merge_problems(loaded.warnings, found)
    if any(problem.severity == "error" for problem in problems):
        raise ConfigError(problems, source=loaded.document.text)
    if problems:
        talk(render_problems(problems, loaded.document.text))
    return build_aws_plan(build_plan(loaded), facts, region=region)
