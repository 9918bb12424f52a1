"""Tables of usage."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from centralized_ml_api.plan.usage.build import CallCount, build_models, build_rows
from centralized_ml_api.plan.usage.latency import bucket_of
from centralized_ml_api.plan.usage.types import (
    HourUsage,
    TeamDay,
    UsageTable,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def count_calls(team: str, model: str, status: int = 200, *, requests: int = 1, ms: int = 100) -> CallCount:
    seconds = NOON.timestamp()
    return CallCount(
        team, model, status, bucket_of(ms), requests, 10 * requests, 1000 * requests, seconds, seconds + 60
    )


def build_table(counts: Sequence[CallCount]) -> UsageTable:
    rows = build_rows(counts)
    requests, errors = sum(row.requests for row in rows), sum(row.errors for row in rows)
    hours = (HourUsage(NOON, requests, errors),)
    return UsageTable(None, rows, build_models(counts), hours, (TeamDay("red", NOON.date(), 7),))


COUNTS = (
    count_calls("red", "chat", requests=6),
    count_calls("red", "chat", 429, requests=2, ms=1),
    count_calls("red", "chat", 503, ms=9000),
    count_calls("blue", "chat", 400),
    count_calls("blue", "echo", 0),
    count_calls("-", "-", 404),
)
