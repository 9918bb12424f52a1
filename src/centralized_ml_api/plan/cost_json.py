"""What a plan costs, as plain values for scripts. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from centralized_ml_api.plan.cost import Cost, EntryCost, UsdRange
    from centralized_ml_api.plan.cost_text import Period


def cost_json(cost: Cost, periods: Sequence[Period], number: int | None = None) -> dict[str, Any]:
    """What `render_cost` says; amounts are `{"low", "high"}` in US dollars, None when unknown."""
    requests = cost.prices.requests
    return {
        "region": cost.prices.region,
        "entries": [_entry_json(one) for one in cost.entries],
        "usd_per_hour": _plain(cost.hourly),
        "complete": cost.is_complete,
        "periods": [
            {"what": one.called, "hours": float(one.hours), "usd": _plain(cost.over(one.hours))}
            for one in periods
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
                {"day": one.day.isoformat(), "title": one.title, "url": one.url}
                for one in {price.source.id: price.source for price in cost.used}.values()
            ],
        },
    }


def _entry_json(entry: EntryCost) -> dict[str, Any]:
    return {
        "name": entry.name,
        "instances": list(entry.instances),
        "count": {"low": entry.count[0], "high": entry.count[1]},
        "usd_per_hour": _plain(entry.hourly),
        "unknown": list(entry.unknown),
        "function_usd_per_million": _plain(entry.function_per_million),
    }


def _plain(amount: UsdRange | None) -> dict[str, float] | None:
    return {"low": float(amount.low), "high": float(amount.high)} if amount else None
