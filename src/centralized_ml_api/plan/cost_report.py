"""What a plan costs, as text and as plain values. Pure."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from centralized_ml_api.plan.columns import render_columns
from centralized_ml_api.plan.cost import ELSEWHERE, HOURS_A_DAY
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from centralized_ml_api.catalog.prices.types import PriceSource
    from centralized_ml_api.plan.cost import Cost, EntryCost, UsdRange, Verdict
    from centralized_ml_api.plan.event import BudgetPlan
    from centralized_ml_api.plan.hours import AwakeTime


NOT_IN_IT = """\
Not included: instance volumes, data transfer, logs, the function behind `/v1`, the table of tokens, taxes.
Free tiers and discounts are not considered.
On one machine, nothing is billed by AWS."""
_ROADS = {
    "asked": "fetched from AWS just now",
    "kept": "as AWS last gave them, each on its day",
    "shipped": "the list shipped with this version; with AWS credentials, current prices are fetched",
}
_CENT = Decimal("0.01")
_FINE = Decimal("0.0001")


@record
class Period:
    """A length of time and what it is called: `a day`, `until the event ends`.

    `awake_hours` is for how long of it models that may sleep are awake by the hours of the event; None
    without such hours, and where it is not known when it begins.
    """

    called: str
    hours: Decimal
    awake_hours: Decimal | None = None


DAY = Period("a day", Decimal(HOURS_A_DAY))


def render_cost(
    cost: Cost, periods: Sequence[Period], number: int | None = None, awake: AwakeTime | None = None
) -> str:
    """Renders a table, one line per entry, then what is unknown, what calls cost, and the sources of prices.

    Args:
        cost: What to show.
        periods: The periods to show besides an hour.
        number: A number of calls whose cost to show; None for none.
        awake: How long models that may sleep are awake by the hours of the event; None without any.
    """
    sections = [
        _table(cost, periods),
        [line for entry in cost.entries for line in _savings(entry, awake)],
        [f"Unknown for {entry.name}: {what}." for entry in cost.entries for what in entry.unknown],
        [*_requests(cost, number), NOT_IN_IT],
        render_sources(cost),
    ]
    return "\n\n".join("\n".join(lines) for lines in sections if lines)


def render_total(cost: Cost, period: Period | None = None) -> str:
    """Renders the cost of all instances, such as `at least 1.515 to 3.03 USD`; per hour without a period."""
    text = f"{_range(_over(cost, period), _CENT) if period else _range(cost.hourly)} USD"
    return text if cost.is_complete else f"at least {text}"


def render_hourly(entry: EntryCost) -> str:
    """Renders an hour of one entry for a column: a price, a range, or `unknown`."""
    if not entry.instances:
        return "-"
    return "unknown" if entry.hourly is None else _at_least(_range(entry.hourly), complete=entry.is_complete)


def render_budget(cost: Cost, budget: BudgetPlan, period: Period, verdict: Verdict) -> str:
    """Renders how the cost of a period compares with the budget, in one sentence.

    Args:
        cost: What the plan costs.
        budget: The budget.
        period: The time that the budget is for.
        verdict: How they compare, see `compare_budget`.
    """
    amount = _usd(Decimal(str(budget.usd)), _CENT)
    found = f"{render_total(cost, period)} {period.called}"
    if verdict == "above":
        return f"This may EXCEED THE BUDGET of {amount} USD: {found}."
    if verdict == "unknown":
        return f"Prices are missing, so whether the budget of {amount} USD is enough is unknown: {found}."
    return f"The budget of {amount} USD is enough: {found}."


def render_sources(cost: Cost) -> list[str]:
    """Renders how the prices were found, then one line per source with its day."""
    sources = sorted(_sources(cost), key=lambda source: source.day)
    lines = [f"  {source.day}  {source.title}: {source.url}" for source in sources]
    return [f"Prices for {cost.prices.region}: {_ROADS[cost.prices.road]}.", *lines]


def render_prices_day(cost: Cost) -> str:
    """Renders the days of the prices, such as `prices of 2025-02-03`."""
    days = sorted({price.source.day for price in cost.used})
    if not days:
        return f"no prices for {cost.prices.region} are known"
    return f"prices of {days[0]}" if len(days) == 1 else f"prices of {days[0]} to {days[-1]}"


def _table(cost: Cost, periods: Sequence[Period]) -> list[str]:
    header = ("MODEL", "INSTANCES", "USD AN HOUR", *(f"USD {period.called.upper()}" for period in periods))
    rows = [_row(entry, periods) for entry in cost.entries]
    total = [_range(cost.hourly), *(_range(_over(cost, period), _CENT) for period in periods)]
    last = ("total", "", *(_at_least(text, complete=cost.is_complete) for text in total))
    return render_columns([header, *rows, last])


def _over(cost: Cost, period: Period) -> UsdRange:
    return cost.over(period.hours, period.awake_hours)


def _row(entry: EntryCost, periods: Sequence[Period]) -> tuple[str, ...]:
    if not entry.instances:
        return (entry.name, ELSEWHERE, *("-" for _ in range(len(periods) + 1)))
    amounts = (entry.over(period.hours, period.awake_hours) for period in periods)
    over = (
        "unknown" if amount is None else _at_least(_range(amount, _CENT), complete=entry.is_complete)
        for amount in amounts
    )
    return (entry.name, _instances(entry), render_hourly(entry), *over)


def _instances(entry: EntryCost) -> str:
    fewest, most = entry.count
    count = str(fewest) if fewest == most else f"{fewest}-{most}"
    return f"{count} x {' or '.join(entry.instances)}"


def _requests(cost: Cost, number: int | None) -> Iterable[str]:
    requests = cost.prices.requests
    if requests is None:
        yield f"Calls: the prices for {cost.prices.region} are unknown, see https://aws.amazon.com/api-gateway/pricing/"
        yield "and https://aws.amazon.com/lambda/pricing/."
        return
    yield f"Calls: {_usd(requests.api_per_million.usd)} USD a million through the API."
    for entry in cost.entries:
        if entry.function_per_million is None:
            reason = "streaming is billed by how long responses last"
            yield f"  plus an unknown amount for {entry.name}: {reason}."
        elif entry.function_per_million.high:
            amount = _range(entry.function_per_million, _CENT)
            yield f"  plus {amount} USD a million for the function of {entry.name}, by how long it runs"
            yield "  (at most its timeout)."
    together = cost.of_requests(number) if number is not None else None
    if together:
        amount = _at_least(f"{_range(together, _CENT)} USD", complete=cost.are_calls_complete)
        yield f"{number:,} calls: {amount}."


def _savings(entry: EntryCost, awake: AwakeTime | None) -> Iterable[str]:
    """Yields what it saves that a model sleeps."""
    saves = entry.asleep_saves
    if saves is None:
        return
    yield f"{entry.name} may sleep: every hour asleep saves {_range(saves)} USD for each instance."
    if awake:
        kept, always = _range(saves.times(awake.awake), _CENT), _range(saves.times(awake.whole), _CENT)
        time = f"awake for {awake.awake:,.1f} of the next {awake.whole:,.1f} hours"
        yield f"  By the hours of the event it is {time}: an instance costs {kept} instead of {always} USD."


def _at_least(text: str, *, complete: bool) -> str:
    return text if complete else f"at least {text}"


def _range(amount: UsdRange, unit: Decimal = _FINE) -> str:
    low, high = _usd(amount.low, unit), _usd(amount.high, unit)
    return low if low == high else f"{low} to {high}"


def _usd(amount: Decimal, unit: Decimal = _FINE) -> str:
    """Renders an amount with at least two decimals, and no more than the unit has."""
    text = f"{amount.quantize(unit, ROUND_HALF_UP):,f}"
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"


def cost_json(
    cost: Cost, periods: Sequence[Period], number: int | None = None, awake: AwakeTime | None = None
) -> dict[str, Any]:
    """Returns what `render_cost` says; amounts are `{"low", "high"}` in US dollars, None when unknown.

    Args:
        cost: What the plan costs.
        periods: The periods that it is asked for.
        number: How many requests are asked for; None when nobody asked.
        awake: For how many hours of how many models that may sleep are awake; None without `event.hours`.
    """
    requests = cost.prices.requests
    return {
        "region": cost.prices.region,
        "entries": [_entry_json(entry) for entry in cost.entries],
        "usd_per_hour": _plain(cost.hourly),
        "complete": cost.is_complete,
        "awake": {"hours": float(awake.awake), "of": float(awake.whole)} if awake else None,
        "periods": [
            {"what": period.called, "hours": float(period.hours), "usd": _plain(_over(cost, period))}
            for period in periods
        ],
        "requests": {
            "api_usd_per_million": float(requests.api_per_million.usd) if requests else None,
            "number": number,
            "usd": _plain(cost.of_requests(number)) if number is not None else None,
            "complete": requests is not None and cost.are_calls_complete,
        },
        "prices": {
            "road": cost.prices.road,
            "sources": [
                {"day": source.day.isoformat(), "title": source.title, "url": source.url}
                for source in _sources(cost)
            ],
        },
    }


def _sources(cost: Cost) -> Iterable[PriceSource]:
    return {price.source.id: price.source for price in cost.used}.values()


def _entry_json(entry: EntryCost) -> dict[str, Any]:
    return {
        "name": entry.name,
        "instances": list(entry.instances),
        "count": {"low": entry.count[0], "high": entry.count[1]},
        "usd_per_hour": _plain(entry.hourly),
        "usd_saved_per_hour_asleep": _plain(entry.asleep_saves),
        "unknown": list(entry.unknown),
        "function_usd_per_million": _plain(entry.function_per_million),
    }


def _plain(amount: UsdRange | None) -> dict[str, float] | None:
    return {"low": float(amount.low), "high": float(amount.high)} if amount else None
