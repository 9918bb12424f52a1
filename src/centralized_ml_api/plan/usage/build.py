"""Counts of calls -> the table. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from centralized_ml_api.plan.usage.latency import percentile
from centralized_ml_api.plan.usage.types import NOBODY, Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


@dataclass(frozen=True, slots=True)
class CallCount:
    """So many calls of one team to one model with one status, whose latency is in one bucket.

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


def build_rows(counts: Iterable[CallCount]) -> tuple[Usage, ...]:
    """A row for each team and model, sorted by both."""
    return _build(counts, lambda one: (one.team, one.model))


def build_models(counts: Iterable[CallCount]) -> tuple[Usage, ...]:
    """A row for each model, of all teams together, sorted by model."""
    return _build(counts, lambda one: (NOBODY, one.model))


def _build(counts: Iterable[CallCount], key: Callable[[CallCount], tuple[str, str]]) -> tuple[Usage, ...]:
    groups: dict[tuple[str, str], list[CallCount]] = {}
    for one in counts:
        groups.setdefault(key(one), []).append(one)
    return tuple(_merge(team, model, groups[team, model]) for team, model in sorted(groups))


def _merge(team: str, model: str, counts: list[CallCount]) -> Usage:
    statuses: Counter[int] = Counter()
    buckets: Counter[int] = Counter()
    for one in counts:
        statuses[one.status] += one.requests
        buckets[one.bucket] += one.requests
    return Usage(
        team=team,
        model=model,
        statuses=tuple(sorted(statuses.items())),
        p50_milliseconds=percentile(buckets, 0.5),
        p95_milliseconds=percentile(buckets, 0.95),
        bytes_in=sum(one.bytes_in for one in counts),
        bytes_out=sum(one.bytes_out for one in counts),
        first=datetime.fromtimestamp(min(one.first for one in counts), UTC),
        last=datetime.fromtimestamp(max(one.last for one in counts), UTC),
    )
