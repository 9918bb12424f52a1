"""What a plan costs: arithmetic, what is unknown, pools, scaling, budgets, and how it is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from centralized_ml_api.catalog.prices.types import Price, PriceList, PriceSource, RequestPrices
from centralized_ml_api.plan.cost import (
    NOTHING,
    SOFTWARE,
    UsdRange,
    build_cost,
    compare_budget,
    hours_until,
)
from centralized_ml_api.plan.cost_report import (
    DAY,
    Period,
    cost_json,
    render_budget,
    render_cost,
    render_prices_day,
    render_total,
)
from centralized_ml_api.plan.event import BudgetPlan
from centralized_ml_api.plan.hours import AwakeTime, Window, count_awake_time
from centralized_ml_api.plan.render import render_plan
from centralized_ml_api.plan.types import ApiPlan
from support.synthesis import build_test_plan, container, function, model, package

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.plan.cost import Cost, Verdict

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SOURCE = PriceSource("test", date(2026, 1, 1), "a list", "https://example.com/")
DOLLARS = st.decimals(min_value="0.01", max_value="200", places=4)


def price(usd: str | Decimal) -> Price:
    return Price(Decimal(usd), SOURCE)


def price_list(**usd: str) -> PriceList:
    """A list of types by their short names: `g5="1.5"` is `ml.g5.xlarge`."""
    requests = RequestPrices(price("3.5"), price("0.2"), price("0.00002"))
    return PriceList(
        "us-east-1",
        {f"ml.{name}.xlarge": price(amount) for name, amount in usd.items()},
        requests,
        "shipped",
    )


def cost_of(
    folder: Path, *models: dict[str, Any], prices: PriceList, packages: tuple[str, ...] = (), **more: Any
) -> Cost:
    plan = build_test_plan({"models": list(models), **more}, folder)
    return build_cost(plan.api, prices, packages=packages)


def scaling(fewest: int, most: int) -> dict[str, int]:
    return {"min_capacity": fewest, "max_capacity": most, "invocations_per_instance": 5}


def usd(low: str, high: str | None = None) -> UsdRange:
    return UsdRange(Decimal(low), Decimal(high or low))


@settings(deadline=None)
@given(
    usd_an_hour=DOLLARS, counts=st.tuples(st.integers(1, 50), st.integers(1, 50)), hours=st.integers(0, 9000)
)
def test_instances_times_price_times_hours(
    tmp_path_factory: pytest.TempPathFactory, usd_an_hour: Decimal, counts: tuple[int, int], hours: int
) -> None:
    fewest, most = sorted(counts)
    scaled = container(instance="ml.g5.xlarge", autoscaling=scaling(fewest, most))
    cost = cost_of(tmp_path_factory.getbasetemp() / "cost", scaled, prices=price_list(g5=str(usd_an_hour)))
    assert cost.over(Decimal(hours)) == UsdRange(fewest * usd_an_hour * hours, most * usd_an_hour * hours)
    assert cost.is_complete


def test_without_autoscaling_it_is_one_instance(tmp_path: Path) -> None:
    assert cost_of(tmp_path, container(instance="ml.g5.xlarge"), prices=price_list(g5="1.5")).hourly == usd(
        "1.5"
    )


def test_a_pool_costs_from_its_cheapest_to_its_dearest_type(tmp_path: Path) -> None:
    scaled = container(instances=["ml.g5.xlarge", "ml.g6.xlarge"], autoscaling=scaling(2, 3))
    del scaled["instance"]
    assert cost_of(tmp_path, scaled, prices=price_list(g5="2", g6="1")).hourly == usd("2", "6")


def test_a_pool_with_an_unknown_type_is_unknown_and_the_sum_is_at_least_the_rest(tmp_path: Path) -> None:
    pool = container(name="pool", instances=["ml.g5.xlarge", "ml.g9.xlarge"])
    del pool["instance"]
    cost = cost_of(
        tmp_path, pool, container(name="plain", instance="ml.g5.xlarge"), prices=price_list(g5="2")
    )
    assert (cost.entries[0].hourly, cost.hourly, cost.is_complete) == (None, usd("2"), False)
    assert "the price of ml.g9.xlarge in us-east-1" in cost.entries[0].unknown[0]
    assert "g5" not in cost.entries[0].unknown[0]
    assert render_total(cost) == "at least 2.00 USD"


def test_a_region_without_prices_gives_no_figure_at_all(tmp_path: Path) -> None:
    nowhere = PriceList("eu-south-2", {}, None, "shipped")
    cost = cost_of(tmp_path, container(integration=function()), prices=nowhere)
    text = render_cost(cost, [DAY], 1000)
    assert (cost.hourly, cost.of_requests(1000), cost.used) == (NOTHING, None, ())
    assert "unknown" in text
    assert "the prices for eu-south-2 are unknown" in text
    assert render_prices_day(cost) == "no prices for eu-south-2 are known"


def test_the_software_of_a_package_is_unknown_and_said_to_be(tmp_path: Path) -> None:
    cost = cost_of(tmp_path, package(instance="ml.g5.xlarge"), prices=price_list(g5="2"))
    assert (cost.entries[0].hourly, cost.entries[0].unknown) == (usd("2"), (SOFTWARE,))
    assert render_total(cost, DAY) == "at least 48.00 USD"


def test_a_jumpstart_model_that_is_a_package_has_software_to_pay(tmp_path: Path) -> None:
    found = cost_of(
        tmp_path, model(instance="ml.g5.xlarge"), prices=price_list(g5="2"), packages=("a-model",)
    )
    assert (found.entries[0].unknown, found.is_complete) == ((SOFTWARE,), False)
    assert cost_of(tmp_path, model(instance="ml.g5.xlarge"), prices=price_list(g5="2")).is_complete


def test_an_endpoint_that_exists_costs_nothing_here(tmp_path: Path) -> None:
    adopted = {"name": "theirs", "integration": {"type": "api"}}
    cost = cost_of(tmp_path, prices=price_list(), endpoints=[adopted])
    assert (cost.hourly, cost.is_complete, cost.entries[0].count) == (NOTHING, True, (0, 0))
    assert "theirs  already exists; billed where it was created" in render_cost(cost, [DAY])


def test_calls_cost_the_api_and_from_none_to_all_of_the_functions_time(tmp_path: Path) -> None:
    properties = {**function()["properties"], "timeout": 10, "memory": 512}
    slow = container(
        name="slow", instance="ml.g5.xlarge", integration={"type": "lambda", "properties": properties}
    )
    direct = container(name="direct", instance="ml.g5.xlarge")
    cost = cost_of(tmp_path, slow, direct, prices=price_list(g5="1"))
    # A million calls of 10 s with half a GB are 5 million GB-seconds.
    assert cost.entries[0].function_per_million == usd("0.2", "100.2")
    assert cost.of_requests(2_000_000) == usd("7.0", "207.4")
    assert "2,000,000 calls: 7.00 to 207.40 USD." in render_cost(cost, [DAY], 2_000_000)


def test_calls_through_the_function_that_streams_cost_at_least_the_api(tmp_path: Path) -> None:
    models = (container(name="plain"), container(name="slow", integration={"type": "stream"}))
    cost = cost_of(tmp_path, *models, prices=price_list())
    assert [entry.function_per_million for entry in cost.entries] == [NOTHING, None]
    text = render_cost(cost, [DAY], 1_000_000)
    assert "  plus an unknown amount for slow: streaming is billed by how long responses last." in text
    assert "1,000,000 calls: at least 3.50 USD." in text


def test_calls_whose_tokens_are_counted_pass_the_function_that_streams(tmp_path: Path) -> None:
    event = {"teams": ["red"], "tokens_per_day": 1000}
    cost = cost_of(tmp_path, container(name="plain"), prices=price_list(), event=event)
    assert [entry.function_per_million for entry in cost.entries] == [None]
    assert "the table of tokens" in render_cost(cost, [DAY])


def test_no_calls_cost_nothing(tmp_path: Path) -> None:
    assert cost_of(tmp_path, prices=price_list()).of_requests(0) == NOTHING


@pytest.mark.parametrize(
    ("budget", "known", "verdict"),
    [("72", "1", "within"), ("71.99", "1", "above"), ("1000", None, "unknown"), ("71.99", "2", "above")],
)
def test_a_budget_is_compared_with_full_scale(
    budget: str, known: str | None, verdict: str, tmp_path: Path
) -> None:
    scaled = container(instance="ml.g5.xlarge", autoscaling=scaling(1, 3))
    prices = price_list(g5=known) if known else price_list()
    assert compare_budget(cost_of(tmp_path, scaled, prices=prices), Decimal(budget), Decimal(24)) == verdict


def test_hours_until_the_end_never_fall_below_none() -> None:
    assert hours_until(NOW + timedelta(hours=36, minutes=30), NOW) == Decimal("36.5")
    assert hours_until(NOW - timedelta(hours=1), NOW) == 0


def test_the_table_says_each_entry_and_the_sum_for_each_period(tmp_path: Path) -> None:
    scaled = container(name="chat", instance="ml.g5.xlarge", autoscaling=scaling(1, 2))
    cost = cost_of(tmp_path, scaled, prices=price_list(g5="1.515"))
    assert render_cost(cost, [DAY, Period("in 1000 hours", Decimal(1000))]).splitlines()[:3] == [
        "MODEL  INSTANCES           USD AN HOUR    USD A DAY       USD IN 1000 HOURS",
        "chat   1-2 x ml.g5.xlarge  1.515 to 3.03  36.36 to 72.72  1,515.00 to 3,030.00",
        "total                      1.515 to 3.03  36.36 to 72.72  1,515.00 to 3,030.00",
    ]


def test_what_sleeping_saves_is_said_for_whoever_may_sleep(tmp_path: Path) -> None:
    naps = container("naps", instance=None, instances=["ml.g5.xlarge", "ml.g6.xlarge"])
    naps["autoscaling"] = {**scaling(0, 2), "resources": {"memory_mb": 1024}}
    always = container("always", instance="ml.g5.xlarge", autoscaling=scaling(1, 2))
    cost = cost_of(tmp_path, naps, always, prices=price_list(g5="1.5", g6="2"))
    saved = "naps may sleep: every hour asleep saves 1.50 to 2.00 USD for each instance."
    assert [line for line in render_cost(cost, [DAY]).splitlines() if "sleep" in line] == [saved]
    hours = (Window(NOW - timedelta(days=2), NOW - timedelta(days=1)),
             Window(NOW + timedelta(hours=1), NOW + timedelta(hours=11)),
             Window(NOW + timedelta(hours=11), NOW + timedelta(hours=21)))  # fmt: skip
    awake = count_awake_time(hours, NOW, early=timedelta(minutes=15))
    assert awake == AwakeTime(Decimal("20.25"), Decimal(21))
    assert (
        "  By the hours of the event it is awake for 20.2 of the next 21.0 hours: "
        "an instance costs 30.38 to 40.50 instead of 31.50 to 42.00 USD."
    ) in render_cost(cost, [DAY], awake=awake).splitlines()
    found = [entry["usd_saved_per_hour_asleep"] for entry in cost_json(cost, [DAY])["entries"]]
    assert found == [{"low": 1.5, "high": 2.0}, None]
    assert cost_json(cost, [DAY])["awake"] is None
    assert cost_json(cost, [DAY], awake=awake)["awake"] == {"hours": 20.25, "of": 21.0}
    assert count_awake_time(hours, NOW + timedelta(days=1), early=timedelta()) is None
    unknown = cost_of(tmp_path / "unknown", naps, prices=price_list(g5="1.5"))
    assert unknown.entries[0].asleep_saves is None


def test_outside_the_hours_of_the_event_models_that_may_sleep_cost_nothing(tmp_path: Path) -> None:
    naps = container("naps", instance="ml.g5.xlarge")
    naps["autoscaling"] = {**scaling(0, 2), "resources": {"memory_mb": 1024}}
    always = container("always", instance="ml.g5.xlarge")
    cost = cost_of(tmp_path, naps, always, prices=price_list(g5="2"))
    assert cost.over(Decimal(10), Decimal(3)) == UsdRange(
        Decimal(2 * 3 + 2 * 10), Decimal(2 * 2 * 3 + 2 * 10)
    )
    assert [compare_budget(cost, Decimal(32), Decimal(10), awake) for awake in (Decimal(3), None)] == [
        "within",
        "above",
    ]
    period = Period("in 10 hours", Decimal(10), Decimal(3))
    assert render_cost(cost, [DAY, period]).splitlines()[:4] == [
        "MODEL   INSTANCES           USD AN HOUR   USD A DAY        USD IN 10 HOURS",
        "naps    0-2 x ml.g5.xlarge  0.00 to 4.00  0.00 to 96.00    6.00 to 12.00",
        "always  1 x ml.g5.xlarge    2.00          48.00            20.00",
        "total                       2.00 to 6.00  48.00 to 144.00  26.00 to 32.00",
    ]
    assert cost_json(cost, [period])["periods"][0]["usd"] == {"low": 26.0, "high": 32.0}
    said = render_budget(cost, BudgetPlan(32, "you@example.com"), period, "within")
    assert said == "The budget of 32.00 USD is enough: 26.00 to 32.00 USD in 10 hours."


def test_the_day_and_the_source_of_the_prices_are_said(tmp_path: Path) -> None:
    cost = cost_of(tmp_path, container(instance="ml.g5.xlarge"), prices=price_list(g5="1"))
    assert "\n  2026-01-01  a list: https://example.com/" in render_cost(cost, [DAY])
    assert render_prices_day(cost) == "prices of 2026-01-01"


def test_a_plan_shows_what_it_costs_an_hour(tmp_path: Path) -> None:
    plan = build_test_plan({"models": [container(instance="ml.g5.xlarge")]}, tmp_path).api
    text = render_plan(plan, "aws", build_cost(plan, price_list(g5="1.515")))
    assert text.splitlines()[0].endswith("USD AN HOUR")
    assert text.splitlines()[1].endswith("  1.515")
    assert "Instances cost 1.515 USD an hour (prices of 2026-01-01)." in text
    assert "USD" not in render_plan(plan, "aws")


def test_json_has_numbers_and_null_for_what_is_unknown(tmp_path: Path) -> None:
    known, unknown = (
        container(name="a", instance="ml.g5.xlarge"),
        container(name="b", instance="ml.g9.xlarge"),
    )
    data = cost_json(cost_of(tmp_path, known, unknown, prices=price_list(g5="1.5")), [DAY], 1_000_000)
    assert [entry["usd_per_hour"] for entry in data["entries"]] == [{"low": 1.5, "high": 1.5}, None]
    assert (data["complete"], data["periods"][0]["usd"]) == (False, {"low": 36.0, "high": 36.0})
    assert data["requests"] == {
        "api_usd_per_million": 3.5,
        "number": 1_000_000,
        "usd": {"low": 3.5, "high": 3.5},
        "complete": True,
    }
    assert data["prices"]["sources"] == [
        {"day": "2026-01-01", "title": "a list", "url": "https://example.com/"}
    ]


def test_nothing_costs_nothing() -> None:
    cost = build_cost(ApiPlan((), ()), price_list())
    assert (render_total(cost), cost.is_complete) == ("0.00 USD", True)


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        ("above", "This may EXCEED THE BUDGET of 20.00 USD: 36.00 USD a day."),
        ("within", "The budget of 20.00 USD is enough: 36.00 USD a day."),
        (
            "unknown",
            "Prices are missing, so whether the budget of 20.00 USD is enough is unknown: 36.00 USD a day.",
        ),
    ],
)
def test_a_budget_is_compared_in_one_sentence(verdict: Verdict, said: str, tmp_path: Path) -> None:
    cost = cost_of(tmp_path, container(instance="ml.g5.xlarge"), prices=price_list(g5="1.5"))
    assert render_budget(cost, BudgetPlan(20, "you@example.com"), DAY, verdict) == said


def test_json_says_that_the_cost_of_calls_that_stream_is_not_complete(tmp_path: Path) -> None:
    streaming = container(instance="ml.g5.xlarge", integration={"type": "stream"})
    assert cost_json(cost_of(tmp_path, streaming, prices=price_list()), [])["requests"]["complete"] is False
    unpriced = replace(price_list(), requests=None)
    plain = cost_of(tmp_path, container(instance="ml.g5.xlarge"), prices=unpriced)
    assert cost_json(plain, [])["requests"]["complete"] is False


def test_prices_of_functions_are_used_only_where_there_is_one(tmp_path: Path) -> None:
    prices = price_list(g5="1")
    requests = prices.requests
    assert requests
    direct = cost_of(tmp_path, container(instance="ml.g5.xlarge"), prices=prices)
    through = cost_of(tmp_path, container(instance="ml.g5.xlarge", integration=function()), prices=prices)
    assert direct.used == (prices.instances["ml.g5.xlarge"], requests.api_per_million)
    assert through.used == (prices.instances["ml.g5.xlarge"], *requests.all)


def test_an_entry_that_exists_already_costs_nothing_by_the_hour(tmp_path: Path) -> None:
    adopted = {"name": "theirs", "integration": {"type": "api"}}
    (entry,) = cost_of(tmp_path, prices=price_list(), endpoints=[adopted]).entries
    assert entry.hourly == NOTHING


def test_only_entries_with_a_function_have_a_line_of_what_it_costs(tmp_path: Path) -> None:
    direct = container(name="direct", instance="ml.g5.xlarge")
    through = container(name="through", instance="ml.g5.xlarge", integration=function())
    text = render_cost(cost_of(tmp_path, direct, through, prices=price_list(g5="1")), [DAY])
    assert "for the function of through, by how long it runs" in text
    assert "the function of direct" not in text


def test_json_has_the_fewest_and_the_most_instances(tmp_path: Path) -> None:
    scaled = container(instance="ml.g5.xlarge", autoscaling=scaling(2, 5))
    (entry,) = cost_json(cost_of(tmp_path, scaled, prices=price_list(g5="1")), [DAY])["entries"]
    assert entry["count"] == {"low": 2, "high": 5}
