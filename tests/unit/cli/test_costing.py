"""The periods that a cost is for, and how the event's budget compares with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from centralized_ml_api.catalog.prices.types import PriceList
from centralized_ml_api.cli.costing import build_period, judge_budget
from centralized_ml_api.plan.cost import NOTHING, Cost, EntryCost, UsdRange
from centralized_ml_api.plan.event import BudgetPlan, EventPlan
from centralized_ml_api.plan.hours import Window, count_awake_hours

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOURS = (
    Window(NOW - timedelta(hours=2), NOW + timedelta(hours=1)),
    Window(NOW + timedelta(hours=8), NOW + timedelta(hours=20)),
)


def test_of_a_period_only_its_own_hours_count() -> None:
    event = EventPlan(hours=HOURS)
    for ends, awake in ((10, "3.25"), (30, "13.25"), (10**9, "13.25"), (0, "0")):
        found = build_period("then", Decimal(ends), event, NOW)
        assert (found.hours, found.awake_hours) == (Decimal(ends), Decimal(awake))
    assert build_period("then", Decimal(10), EventPlan(), NOW).awake_hours is None
    assert count_awake_hours(HOURS, NOW, NOW + timedelta(hours=5), early=timedelta()) == 1


def test_a_budget_is_compared_with_what_the_hours_of_the_event_leave() -> None:
    two = UsdRange(Decimal(2), Decimal(2))
    naps = EntryCost("naps", ("ml.g5.xlarge",), (0, 1), replace(two, low=Decimal(0)), (), NOTHING, (), two)
    cost = Cost((naps,), PriceList("us-east-1", {}, None, "shipped"))
    event = EventPlan(hours=HOURS, ends=NOW + timedelta(hours=10), budget=BudgetPlan(7, "you@example.com"))
    assert judge_budget(cost, event, NOW) == (
        "within",
        "The budget of 7.00 USD is enough: 6.50 USD until the event ends.",
    )
    without = judge_budget(cost, replace(event, hours=()), NOW)
    assert without[0] == "above"
