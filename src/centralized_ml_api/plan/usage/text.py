"""The table as text. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.plan.columns import render_columns
from centralized_ml_api.plan.usage.words import say_bytes, say_errors, say_instant, say_milliseconds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from centralized_ml_api.plan.usage.types import Usage, UsageTable

_HEADER = ("TEAM", "MODEL", "REQUESTS", "ERRORS", "P50", "P95", "IN", "OUT", "FIRST (UTC)", "LAST (UTC)")
_LEGEND = "Team -: without a key. Model -: no model was reached, as by pages and unknown paths."


def render_usage(table: UsageTable) -> str:
    """A line a team and model, what they come to together, and what the columns mean."""
    if not table.rows:
        return "\n".join(["No calls yet.", *table.notes])
    last = ("in all", "", str(table.requests), str(table.errors), "", "", "", "", "", "")
    lines = render_columns([_HEADER, *(_row(one) for one in table.rows), last])
    return "\n".join([*lines, "", _LEGEND, *_notes(table)])


def _notes(table: UsageTable) -> Iterable[str]:
    if table.since:
        yield f"Since {say_instant(table.since)} UTC, in whole hours."
    if table.days:
        day = max(one.day for one in table.days)
        counts = [f"{one.team} {one.requests}" for one in table.days if one.day == day]
        yield f"Towards the daily limits on {day} (UTC): {', '.join(counts)}."
    yield from (f"Note: {note}." for note in table.notes)


def _row(usage: Usage) -> tuple[str, ...]:
    return (
        usage.team,
        usage.model,
        str(usage.requests),
        say_errors(usage),
        say_milliseconds(usage.p50_milliseconds),
        say_milliseconds(usage.p95_milliseconds),
        say_bytes(usage.bytes_in),
        say_bytes(usage.bytes_out),
        say_instant(usage.first),
        say_instant(usage.last),
    )
