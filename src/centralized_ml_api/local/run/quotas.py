"""Counts how many calls each team has left of its day, whenever the gateway begins to count anew.

In between the gateway counts down by itself, exactly. When it begins anew (a start, another limit), the calls
under way and those answered in the last quarter of a second may not be counted yet. An orderly stop writes
them all.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from centralized_ml_api.local.gateway import Quotas

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from centralized_ml_api.local.gateway import TeamAccess
    from centralized_ml_api.local.machine.clock import Clock

LOOK_SECONDS = 1.0

Limits = tuple[tuple[str, int], ...]


class QuotaBook:
    """The daily quotas of one gateway. Days are those of UTC.

    `count_day` returns by team how many calls were let through on a day, from what is on disk.
    """

    def __init__(self, count_day: Callable[[date], Mapping[str, int]], clock: Clock) -> None:
        self._count_day = count_day
        self._clock = clock
        self._day = self._today()
        self._limits: Limits = ()
        self._quotas: Quotas | None = None
        self._counted: tuple[date, Mapping[str, int]] = (self._day, {})

    def forget(self) -> None:
        """Forgets the quotas: the gateway begins to count anew, so the next are counted from the disk."""
        self._limits, self._quotas = (), None

    async def take_stock(self, teams: Sequence[TeamAccess]) -> Quotas | None:
        """Returns the quotas, or None when no team has one; the same as before until day or limits change."""
        limits = tuple(
            (team.name, team.requests_per_day) for team in teams if team.requests_per_day is not None
        )
        today = self._today()
        if (limits, today) != (self._limits, self._day):
            self._quotas = await self._count(limits, today) if limits else None
            self._limits, self._day = limits, today
        return self._quotas

    async def run(self, changed: Callable[[], None]) -> None:
        """Calls `changed` every second in which the quotas are of another day, until cancelled.

        Looks at the wall clock again and again, because a timer stands still while the machine sleeps.
        """
        while True:
            await self._clock.sleep(LOOK_SECONDS)
            if self._today() != self._day:
                changed()

    def _today(self) -> date:
        return self._clock.now().astimezone(UTC).date()

    async def _count(self, limits: Limits, today: date) -> Quotas:
        used = await self._used(today)
        left = tuple((team, max(0, limit - used.get(team, 0))) for team, limit in limits)
        return Quotas(datetime.combine(today + timedelta(days=1), time(), UTC), left)

    async def _used(self, today: date) -> Mapping[str, int]:
        """Returns the day's calls; when the disk cannot be read, what was last counted of that day."""
        with contextlib.suppress(sqlite3.Error, OSError):
            self._counted = (today, await asyncio.to_thread(self._count_day, today))
        day, used = self._counted
        return used if day == today else {}
