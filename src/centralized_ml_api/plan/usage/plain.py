"""The table for scripts and spreadsheets. Pure."""

from __future__ import annotations

import csv
import io
from datetime import UTC
from typing import TYPE_CHECKING, Any

from centralized_ml_api.plan.usage.types import ERROR_KINDS, NOBODY

if TYPE_CHECKING:
    from datetime import datetime

    from centralized_ml_api.plan.usage.types import Usage, UsageTable

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_COLUMNS = (
    "team",
    "model",
    "requests",
    "errors",
    *ERROR_KINDS,
    "p50_milliseconds",
    "p95_milliseconds",
    "bytes_in",
    "bytes_out",
    "first",
    "last",
)


def usage_json(table: UsageTable) -> dict[str, Any]:
    """What `render_usage` says, with each status; instants in RFC 3339 and UTC, None for the unknown."""
    return {
        "since": _instant(table.since) if table.since else None,
        "requests": table.requests,
        "errors": table.errors,
        "rows": [_row(one) for one in table.rows],
        "models": [{key: value for key, value in _row(one).items() if key != "team"} for one in table.models],
        "hours": [
            {"start": _instant(one.start), "requests": one.requests, "errors": one.errors}
            for one in table.hours
        ],
        "days": [
            {"team": one.team, "day": one.day.isoformat(), "requests": one.requests} for one in table.days
        ],
        "notes": list(table.notes),
    }


def render_usage_csv(table: UsageTable) -> str:
    """A line a team and model below a line of names; empty for what is not known.

    A name that a spreadsheet would take for a formula gets an apostrophe before it.
    Source: https://owasp.org/www-community/attacks/CSV_Injection
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for one in table.rows:
        names = {"team": _harmless(one.team), "model": _harmless(one.model)}
        kinds = {str(kind): count for kind, count in one.errors_by_kind.items()}
        writer.writerow({**_row(one), **kinds, **names})
    return text.getvalue()


def _row(usage: Usage) -> dict[str, Any]:
    return {
        "team": usage.team,
        "model": usage.model,
        "requests": usage.requests,
        "errors": usage.errors,
        "errors_by_kind": dict(usage.errors_by_kind),
        "statuses": {str(status): count for status, count in usage.statuses},
        "p50_milliseconds": _rounded(usage.p50_milliseconds),
        "p95_milliseconds": _rounded(usage.p95_milliseconds),
        "bytes_in": usage.bytes_in,
        "bytes_out": usage.bytes_out,
        "first": _instant(usage.first),
        "last": _instant(usage.last),
    }


def _rounded(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds, 1)


def _instant(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _harmless(name: str) -> str:
    return f"'{name}" if name != NOBODY and name.startswith(_FORMULA) else name
