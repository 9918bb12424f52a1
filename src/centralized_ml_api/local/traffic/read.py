"""Asks Envoy what was called, and says to which model each count belongs."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol, get_args
from urllib.parse import unquote

from prometheus_client.parser import text_string_to_metric_families

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.envoy.stats import ACTIVE, MILLISECONDS, REQUESTS, TOKENS, UNREPORTED
from centralized_ml_api.local.traffic.types import (
    Counted,
    Durations,
    Requests,
    TokenCount,
    TokenKind,
    Traffic,
    build_spending_left,
    build_team_limits,
)
from centralized_ml_api.plan.usage.tokens import estimate_tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import date

    from prometheus_client.samples import Sample

    from centralized_ml_api.local.admission.accounts import Account
    from centralized_ml_api.local.traffic.types import SpendingLeft
    from centralized_ml_api.plan.types import ApiPlan

_PREFIX = "envoy_"


class Served(Protocol):
    """What is served now: the supervisor."""

    @property
    def plan(self) -> ApiPlan:
        """The plan that is served now."""
        ...

    def upstreams(self) -> Mapping[str, tuple[str, ...]]:
        """Returns, for each entry, the gateway's names for every service behind it."""
        ...


class TrafficCounter(Protocol):
    """What counts calls: the gateway."""

    async def traffic(self) -> str:
        """Returns what was called so far in Prometheus' text format; raises `StartError`."""
        ...


class Admission(Protocol):
    """What makes calls wait and counts what they spend: the admission service."""

    async def occupancy(self) -> Mapping[str, Mapping[str, int]]:
        """Returns by model how many calls are `waiting`."""
        ...

    def load_used(self) -> Mapping[Account, int]:
        """Returns what limits in tokens and dollars have used; raises `sqlite3.Error` or `OSError`."""
        ...


async def read_traffic(
    gateway: TrafficCounter, served: Served, count_day: Callable[[date], dict[str, int]], admission: Admission
) -> Traffic:
    """Returns what was called so far, with the limits of the teams.

    Args:
        gateway: Where to ask; if it does not answer, `counted` is None.
        served: The plan, and which upstreams are behind each model.
        count_day: Returns each team's calls of a UTC day.
        admission: Where calls wait, and what they spend is counted.
    """
    try:
        by_upstream = parse_counted(await gateway.traffic())
    except StartError:
        counted = None
    else:
        counted = replace(by_upstream, in_flight=_sum_by_model(by_upstream.in_flight or {}, served))
    used = await _count_today(served, count_day)
    waiting = {model: busy["waiting"] for model, busy in (await admission.occupancy()).items()}
    limits = build_team_limits(served.plan.event, used)
    return Traffic(time.monotonic(), counted, limits, waiting, await _load_left(served, admission))


async def _load_left(served: Served, admission: Admission) -> tuple[SpendingLeft, ...]:
    """Loads what is left of every limit in tokens and dollars; nothing if that cannot be read."""
    event = served.plan.event
    if not event.pot.is_limited and not any(team.spending.is_limited for team in event.teams):
        return ()
    try:
        used = await asyncio.to_thread(admission.load_used)
    except (sqlite3.Error, OSError):
        return ()
    return build_spending_left(event, used, time.time())


def _sum_by_model(active: Mapping[str, int], served: Served) -> dict[str, int]:
    """Adds up the calls in progress at everything that is behind a model's path."""
    return {
        entry: sum(active.get(upstream, 0) for upstream in upstreams)
        for entry, upstreams in served.upstreams().items()
    }


async def _count_today(served: Served, count_day: Callable[[date], dict[str, int]]) -> dict[str, int] | None:
    """Counts each team's calls of today; None if no team has a quota, or if the counts cannot be read."""
    if all(team.requests_per_day is None for team in served.plan.event.teams):
        return None
    try:
        return await asyncio.to_thread(count_day, datetime.now(UTC).date())
    except (sqlite3.Error, OSError):
        return None


def parse_counted(text: str) -> Counted:
    """Parses Envoy's statistics from Prometheus' text format; other statistics are left out. Pure."""
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return Counted(
        tuple(_parse_requests(sample) for sample in samples if sample.name == f"{_PREFIX}{REQUESTS}_total"),
        tuple(_parse_durations(samples)),
        {
            unquote(sample.labels["envoy_cluster_name"]): int(sample.value)
            for sample in samples
            if sample.name == f"{_PREFIX}{ACTIVE}"
        },
        tuple(_parse_tokens(samples)),
    )


def _parse_requests(sample: Sample) -> Requests:
    labels = sample.labels
    return Requests(labels["model"], labels.get("team", ""), int(labels["status"] or 0), int(sample.value))


def _parse_tokens(samples: Iterable[Sample]) -> Iterator[TokenCount]:
    unreported: dict[tuple[str, str, str], dict[str, int]] = {}
    for sample in samples:
        model, team = sample.labels.get("model", ""), sample.labels.get("team", "")
        for kind in get_args(TokenKind):
            if sample.name == f"{_PREFIX}{TOKENS}_{kind}_total":
                yield TokenCount(model, team, kind, estimated=False, count=int(sample.value))
            elif sample.name == f"{_PREFIX}{UNREPORTED}_{kind}_total":
                key = (model, team, sample.labels.get("answer", ""))
                unreported.setdefault(key, {})[kind] = int(sample.value)
    for (model, team, answer), sizes in unreported.items():
        tokens = estimate_tokens(
            sizes.get("in", 0), sizes.get("out", 0), "stream" if answer == "stream" else "whole"
        )
        yield TokenCount(model, team, "in", estimated=True, count=tokens.read)
        yield TokenCount(model, team, "out", estimated=True, count=tokens.written)


def _parse_durations(samples: Iterable[Sample]) -> Iterator[Durations]:
    buckets: dict[str, list[tuple[float, int]]] = {}
    sums: dict[str, float] = {}
    for sample in samples:
        model = sample.labels.get("model", "")
        if sample.name == f"{_PREFIX}{MILLISECONDS}_bucket":
            buckets.setdefault(model, []).append((float(sample.labels["le"]), int(sample.value)))
        elif sample.name == f"{_PREFIX}{MILLISECONDS}_sum":
            sums[model] = sample.value
    for model, counts in buckets.items():
        yield Durations(model, tuple(sorted(counts)), sums.get(model, 0.0))
