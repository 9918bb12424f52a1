"""Builds the table from counts of calls. Pure."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from centralized_ml_api.plan.usage.latency import percentile
from centralized_ml_api.plan.usage.tokens import NO_TOKENS, Tokens
from centralized_ml_api.plan.usage.types import NOBODY, Usage
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


@record
class CallCount:
    """The number of calls of one team to one model with one status, in one latency bucket.

    `first` and `last` are in seconds since the epoch.
    """

    team: str
    model: str
    status: int
    bucket: int
    requests: int
    bytes_in: int
    bytes_out: int
    first: float
    last: float
    tokens: Tokens = NO_TOKENS


def build_rows(counts: Iterable[CallCount]) -> tuple[Usage, ...]:
    """Builds a row for each team and model, sorted by both."""
    return _build(counts, lambda count: (count.team, count.model))


def build_models(counts: Iterable[CallCount]) -> tuple[Usage, ...]:
    """Builds a row for each model, of all teams together, sorted by model."""
    return _build(counts, lambda count: (NOBODY, count.model))


def _build(counts: Iterable[CallCount], key: Callable[[CallCount], tuple[str, str]]) -> tuple[Usage, ...]:
    groups: dict[tuple[str, str], list[CallCount]] = {}
    for count in counts:
        groups.setdefault(key(count), []).append(count)
    return tuple(_merge(team, model, groups[team, model]) for team, model in sorted(groups))


def _merge(team: str, model: str, counts: list[CallCount]) -> Usage:
    statuses: Counter[int] = Counter()
    buckets: Counter[int] = Counter()
    for count in counts:
        statuses[count.status] += count.requests
        buckets[count.bucket] += count.requests
    return Usage(
        team=team,
        model=model,
        statuses=tuple(sorted(statuses.items())),
        p50_milliseconds=percentile(buckets, 0.5),
        p95_milliseconds=percentile(buckets, 0.95),
        bytes_in=sum(count.bytes_in for count in counts),
        bytes_out=sum(count.bytes_out for count in counts),
        first=datetime.fromtimestamp(min(count.first for count in counts), UTC),
        last=datetime.fromtimestamp(max(count.last for count in counts), UTC),
        tokens=sum((count.tokens for count in counts), NO_TOKENS),
    )
