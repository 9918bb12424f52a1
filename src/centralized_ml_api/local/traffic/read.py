"""Asks the gateway what was called, and says of which model each count is."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.run.specs import services_of
from centralized_ml_api.local.traffic.counted import Traffic
from centralized_ml_api.local.traffic.limits import build_limits
from centralized_ml_api.local.traffic.parse import parse_counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from centralized_ml_api.local.run.registry import Running
    from centralized_ml_api.plan.types import ApiPlan


class Served(Protocol):
    """What is served now: the supervisor."""

    @property
    def plan(self) -> ApiPlan:
        """The plan."""
        ...

    def find(self, name: str) -> Running | None:
        """The running service of that name."""
        ...


class Counting(Protocol):
    """What counts calls: the gateway."""

    async def traffic(self) -> str:
        """What was called so far, as Envoy tells Prometheus; raises `StartError`."""
        ...


async def read_traffic(
    gateway: Counting, served: Served, count_day: Callable[[date], dict[str, int]]
) -> Traffic:
    """What was called so far; `count_day` gives each team's calls of a day."""
    try:
        text = await gateway.traffic()
    except StartError:
        counted = None
    else:
        by_upstream = parse_counted(text)
        counted = replace(by_upstream, in_flight=_by_model(by_upstream.in_flight or {}, served))
    return Traffic(time.monotonic(), counted, build_limits(served.plan.event, await _used(served, count_day)))


def _by_model(active: Mapping[str, int], served: Served) -> dict[str, int]:
    """The calls under way at all that stands behind each path."""
    return {
        entry.name: sum(
            active.get(running.upstream, 0)
            for name in services_of(entry)
            if (running := served.find(name)) is not None
        )
        for entry in served.plan.deployments
    }


async def _used(served: Served, count_day: Callable[[date], dict[str, int]]) -> dict[str, int] | None:
    """Each team's calls of today; read only where there is a quota to compare them with."""
    if all(team.requests_per_day is None for team in served.plan.event.teams):
        return None
    try:
        return await asyncio.to_thread(count_day, datetime.now(UTC).date())
    except (sqlite3.Error, OSError):
        return None
