"""What a plan costs, as text. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from centralized_ml_api.plan.columns import render_columns
from centralized_ml_api.plan.cost import ELSEWHERE, HOURS_A_DAY

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from centralized_ml_api.plan.cost import Cost, EntryCost, UsdRange, Verdict
    from centralized_ml_api.plan.event import BudgetPlan

NOT_IN_IT = """\
Not in it: disks of the instances, data in and out, logs, the function behind `/v1`, taxes.
Free tiers and discounts are not counted.
`mlapi up` starts nothing that AWS bills."""
_ROADS = {
    "asked": "AWS was asked just now",
    "kept": "AWS was asked within the last days",
    "shipped": "the list that comes with this version; with AWS credentials AWS is asked instead",
}
_CENT = Decimal("0.01")
_FINE = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Period:
    """A length of time and what it is called: `a day`, `until the event ends`."""

    called: str
    hours: Decimal


DAY = Period("a day", Decimal(HOURS_A_DAY))


def render_cost(cost: Cost, periods: Sequence[Period], number: int | None = None) -> str:
    """The table, one line an entry, and below it what is unknown, what calls cost, and whose prices they are.

    Args:
        cost: what is shown.
        periods: what stands besides the price of an hour.
        number: of calls, to say what they cost together; None for a million.
    """
    sections = [
        _table(cost, periods),
        [f"Unknown for {one.name}: {what}." for one in cost.entries for what in one.unknown],
        [*_requests(cost, number), NOT_IN_IT],
        render_sources(cost),
    ]
    return "\n\n".join("\n".join(lines) for lines in sections if lines)


def render_total(cost: Cost, period: Period | None = None) -> str:
    """All instances in one phrase, such as `at least 1.515 to 3.03 USD`; an hour of them without a period."""
    text = f"{_range(cost.over(period.hours), _CENT) if period else _range(cost.hourly)} USD"
    return text if cost.is_complete else f"at least {text}"


def render_hourly(entry: EntryCost) -> str:
    """An hour of one entry, for a column: a price, a range, or that it is unknown."""
    if not entry.instances:
        return "-"
    return "unknown" if entry.hourly is None else _at_least(_range(entry.hourly), complete=entry.is_complete)


def render_budget(cost: Cost, budget: BudgetPlan, period: Period, verdict: Verdict) -> str:
    """How the cost of a period compares with the budget, in one sentence."""
    amount = _usd(Decimal(str(budget.usd)), _CENT)
    found = f"{render_total(cost, period)} {period.called}"
    if verdict == "above":
        return f"This may be ABOVE THE BUDGET of {amount} USD: {found}."
    if verdict == "unknown":
        return f"Whether the budget of {amount} USD is enough is not known, prices are missing: {found}."
    return f"The budget of {amount} USD is enough: {found}."


def render_sources(cost: Cost) -> list[str]:
    """Where the prices are from and of which day, one line each after the road they came."""
    sources = {price.source.id: price.source for price in cost.used}
    lines = [
        f"  {one.day}  {one.title}: {one.url}" for one in sorted(sources.values(), key=lambda one: one.day)
    ]
    return [f"Prices of {cost.prices.region}: {_ROADS[cost.prices.road]}.", *lines]


def render_prices_day(cost: Cost) -> str:
    """The days of the prices in a phrase, such as `prices of 2025-02-03`."""
    days = sorted({price.source.day for price in cost.used})
    if not days:
        return f"no prices of {cost.prices.region} are known"
    return f"prices of {days[0]}" if len(days) == 1 else f"prices of {days[0]} to {days[-1]}"


def _table(cost: Cost, periods: Sequence[Period]) -> list[str]:
    header = ("MODEL", "INSTANCES", "USD AN HOUR", *(f"USD {one.called.upper()}" for one in periods))
    rows = [_row(one, periods) for one in cost.entries]
    total = [_range(cost.hourly), *(_range(cost.over(one.hours), _CENT) for one in periods)]
    last = ("in all", "", *(_at_least(text, complete=cost.is_complete) for text in total))
    return render_columns([header, *rows, last])


def _row(entry: EntryCost, periods: Sequence[Period]) -> tuple[str, ...]:
    if not entry.instances:
        return (entry.name, ELSEWHERE, *("-" for _ in range(len(periods) + 1)))
    hourly = entry.hourly
    over = (
        "unknown"
        if hourly is None
        else _at_least(_range(hourly.times(one.hours), _CENT), complete=entry.is_complete)
        for one in periods
    )
    return (entry.name, _instances(entry), render_hourly(entry), *over)


def _instances(entry: EntryCost) -> str:
    fewest, most = entry.count
    count = str(fewest) if fewest == most else f"{fewest}-{most}"
    return f"{count} x {' or '.join(entry.instances)}"


def _requests(cost: Cost, number: int | None) -> Iterable[str]:
    requests = cost.prices.requests
    if requests is None:
        yield f"Calls: the prices of {cost.prices.region} are unknown, see https://aws.amazon.com/api-gateway/pricing/"
        yield "and https://aws.amazon.com/lambda/pricing/."
        return
    yield f"Calls: {_usd(requests.api_per_million.usd)} USD a million through the API."
    for one in cost.entries:
        if one.function_per_million is None:
            yield f"  and unknown for {one.name}: the function that streams, by how long answers last."
        elif one.function_per_million.high:
            amount = _range(one.function_per_million, _CENT)
            yield f"  and {amount} USD a million for the function of {one.name}, by how long it takes"
            yield "  (the most: all the time that it has)."
    together = cost.of_requests(number) if number is not None else None
    if together:
        amount = _at_least(f"{_range(together, _CENT)} USD", complete=cost.are_calls_complete)
        yield f"{number:,} calls: {amount}."


def _at_least(text: str, *, complete: bool) -> str:
    return text if complete else f"at least {text}"


def _range(amount: UsdRange, unit: Decimal = _FINE) -> str:
    low, high = _usd(amount.low, unit), _usd(amount.high, unit)
    return low if low == high else f"{low} to {high}"


def _usd(amount: Decimal, unit: Decimal = _FINE) -> str:
    """With two decimals at least, and no more than the unit has."""
    text = f"{amount.quantize(unit, ROUND_HALF_UP):,f}"
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"
