"""Prices a config on AWS, for every verb that says what it costs."""

from __future__ import annotations

import importlib.util
import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from centralized_ml_api.catalog.catalog import open_catalog
from centralized_ml_api.catalog.own_region import DEFAULT_REGION
from centralized_ml_api.catalog.prices.price_files import load_shipped_prices
from centralized_ml_api.cli.loading import tell_warnings
from centralized_ml_api.config.load import load_config
from centralized_ml_api.errors import DeployError
from centralized_ml_api.plan.aws.hours import WARM_UP
from centralized_ml_api.plan.build import build_plan
from centralized_ml_api.plan.cost import BUDGET_HOURS, build_cost, compare_budget, hours_until
from centralized_ml_api.plan.cost_report import Period, render_budget
from centralized_ml_api.plan.hours import count_awake_hours
from centralized_ml_api.plan.jumpstart_lookup import resolve_facts

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
    """Returns the plan of the config and what it costs; says how many warnings there are.

    Raises:
        ConfigError: The config has errors.
        CatalogError: The lock file beside it is damaged.
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
    """Returns the plan and what it costs. Pure.

    Args:
        loaded: The config.
        prices: Those of the region.
        facts: By entry name; they tell which JumpStart models are sold in the AWS Marketplace.
    """
    plan = build_plan(loaded)
    packages = frozenset(name for name, found in facts.items() if found.model_package_arn)
    return plan, build_cost(plan, prices, packages=packages)


def load_best_prices(region: str | None) -> PriceList:
    """Returns the prices of a region, or of that of the AWS settings: from AWS, otherwise as shipped."""
    if importlib.util.find_spec("boto3") is not None:
        from centralized_ml_api.aws.clients import AwsClients
        from centralized_ml_api.aws.planning.instance_prices import load_prices

        try:
            return load_prices(AwsClients(region))
        except DeployError:  # the profile does not exist; the verbs that need it say so
            pass
    return load_shipped_prices(
        region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or DEFAULT_REGION
    )


def event_period(event: EventPlan, now: datetime) -> Period:
    """Returns what a budget is for: until the event ends, otherwise 30 days. Pure."""
    if event.ends is None:
        return build_period("in 30 days", BUDGET_HOURS, event, now)
    return build_period("until the event ends", hours_until(event.ends, now), event, now)


def build_period(called: str, hours: Decimal, event: EventPlan, begins: datetime) -> Period:
    """Builds a period in which models that may sleep keep the hours of the event. Pure.

    Args:
        called: What it is called.
        hours: How long it is.
        event: With its hours.
        begins: Its first instant.
    """
    if not event.hours:
        return Period(called, hours)
    last = event.hours[-1].ends
    is_longer = hours >= hours_until(last, begins)
    ends = last if is_longer else begins + timedelta(hours=float(hours))
    return Period(called, hours, count_awake_hours(event.hours, begins, ends, early=WARM_UP))


def judge_budget(cost: Cost, event: EventPlan, now: datetime) -> tuple[Verdict | None, str]:
    """Returns how the cost compares with the event's budget, and a sentence about it. Pure.

    Args:
        cost: Of all entries.
        event: With the budget and the end.
        now: The present instant.

    Returns:
        None and an empty text without a budget.
    """
    if event.budget is None:
        return None, ""
    period = event_period(event, now)
    verdict = compare_budget(cost, Decimal(str(event.budget.usd)), period.hours, period.awake_hours)
    return verdict, render_budget(cost, event.budget, period, verdict)
