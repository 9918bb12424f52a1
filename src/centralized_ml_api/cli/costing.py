"""From a config to what it costs, for every verb that says so."""

from __future__ import annotations

import importlib.util
import os
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from centralized_ml_api.catalog.catalog import open_catalog
from centralized_ml_api.catalog.own_region import DEFAULT_REGION
from centralized_ml_api.catalog.prices.shipped import load_shipped_prices
from centralized_ml_api.cli.loading import tell_warnings
from centralized_ml_api.config.load import load_config
from centralized_ml_api.errors import DeployError
from centralized_ml_api.plan.build import build_plan
from centralized_ml_api.plan.cost import BUDGET_HOURS, build_cost, compare_budget, hours_until
from centralized_ml_api.plan.cost_text import Period, render_budget
from centralized_ml_api.plan.facts import resolve_facts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from centralized_ml_api.catalog.facts import ModelFacts
    from centralized_ml_api.catalog.prices.types import PriceList
    from centralized_ml_api.config.load import LoadedConfig
    from centralized_ml_api.plan.cost import Cost, Verdict
    from centralized_ml_api.plan.event import EventPlan
    from centralized_ml_api.plan.types import ApiPlan


def load_cost(config: Path, region: str | None) -> tuple[ApiPlan, Cost]:
    """The plan of the config and what it costs; that it has warnings is said.

    Raises:
        ConfigError: the config has errors.
        CatalogError: the lock file beside it is damaged.
    """
    prices = load_best_prices(region)
    loaded = load_config(config, now=datetime.now(UTC), region=prices.region)
    tell_warnings(loaded.warnings, config)
    # As far as this machine knows: a cost is no reason to ask JumpStart.
    facts, _ = resolve_facts(loaded, open_catalog(loaded.path, offline=True), region=prices.region)
    return build_priced_plan(loaded, prices, facts)


def build_priced_plan(
    loaded: LoadedConfig, prices: PriceList, facts: Mapping[str, ModelFacts]
) -> tuple[ApiPlan, Cost]:
    """The plan and what it costs; `facts` tell which JumpStart entries are sold in the Marketplace. Pure."""
    plan = build_plan(loaded)
    packages = frozenset(name for name, one in facts.items() if one.model_package_arn)
    return plan, build_cost(plan, prices, packages=packages)


def load_best_prices(region: str | None) -> PriceList:
    """The prices of a region, or of the one of the AWS settings: AWS's answer, or else the list at hand."""
    if importlib.util.find_spec("boto3") is not None:
        from centralized_ml_api.aws.clients import AwsClients  # noqa: PLC0415  # only where it is installed
        from centralized_ml_api.aws.prices import load_prices  # noqa: PLC0415

        try:
            return load_prices(AwsClients(region))
        except DeployError:  # a profile that does not exist; the verbs that need it say so
            pass
    named = (os.environ.get(name) for name in ("AWS_REGION", "AWS_DEFAULT_REGION"))
    return load_shipped_prices(region or next(filter(None, named), DEFAULT_REGION))


def event_period(event: EventPlan, now: datetime) -> Period:
    """What a budget is for: until the event ends, or else 30 days."""
    if event.ends is None:
        return Period("in 30 days", BUDGET_HOURS)
    return Period("until the event ends", hours_until(event.ends, now))


def judge_budget(cost: Cost, event: EventPlan, now: datetime) -> tuple[Verdict | None, str]:
    """How the cost compares with the event's budget, and that in a sentence; None without a budget."""
    if event.budget is None:
        return None, ""
    period = event_period(event, now)
    verdict = compare_budget(cost, Decimal(str(event.budget.usd)), period.hours)
    return verdict, render_budget(cost, event.budget, period, verdict)
