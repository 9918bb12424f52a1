"""Gathers what the organizer's screen shows, from the parts that know it, and keeps its history."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from typing import TYPE_CHECKING, Any, Protocol

from centralized_ml_api.api.keys import TeamKeys
from centralized_ml_api.errors import MlApiError
from centralized_ml_api.local.admission.account_book import ACCOUNTS_NAME, AccountBook
from centralized_ml_api.local.admission.accounts import Account
from centralized_ml_api.local.board.document import RECENT_SECONDS, Known, build_document
from centralized_ml_api.local.board.history import History, keep_history
from centralized_ml_api.local.keys import KeyStore, LocalKeys
from centralized_ml_api.local.machine.ports import reachable_urls
from centralized_ml_api.local.usage.collector import UsageCollector
from centralized_ml_api.local.usage.recent_errors import RecentError, load_recent_errors
from centralized_ml_api.plan.usage.types import UsageTable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from centralized_ml_api.local.machine.clock import Clock
    from centralized_ml_api.local.status import LocalStatus
    from centralized_ml_api.local.traffic.types import Traffic
    from centralized_ml_api.plan.types import ApiPlan


class Target(Protocol):
    """What is shown: `LocalTarget`."""

    @property
    def plan(self) -> ApiPlan:
        """The plan that is served now."""
        ...

    async def look(self) -> LocalStatus:
        """Returns how it is now."""
        ...

    async def traffic(self) -> Traffic:
        """Returns what was called."""
        ...


class Board:
    """The organizer's screen of one target.

    Args:
        target: What is shown.
        state: The path of the state folder.
        clock: Waits between two points of the history.
    """

    def __init__(self, target: Target, state: Path, clock: Clock) -> None:
        self._target = target
        self._state = state
        self._clock = clock
        self._collector = UsageCollector.of_state(state)
        self._history = History()

    async def run(self) -> None:
        """Keeps the history, until cancelled."""
        await keep_history(self._history, self._target.traffic, self._names, self._clock)

    async def build(self) -> dict[str, Any]:
        """Returns everything that the page shows."""
        status, plan, now = await self._target.look(), self._target.plan, self._clock.now()
        usage, used, keys, errors, today = await asyncio.to_thread(self._load, now)
        known = Known(
            status=status,
            urls=reachable_urls(status.host, status.address) if status.address else (),
            event=plan.event,
            usage=usage,
            used=used,
            keys=keys,
            history=self._history,
            errors=errors,
            now=now,
            used_today=today,
        )
        return build_document(known)

    def _names(self) -> tuple[list[str], list[str]]:
        plan = self._target.plan
        return [entry.name for entry in plan.deployments], [team.name for team in plan.event.teams]

    def _load(
        self, now: datetime
    ) -> tuple[
        UsageTable, Mapping[Account, int], Sequence[TeamKeys], Sequence[RecentError], Mapping[str, int]
    ]:
        """Reads what is on the disk; of what cannot be read now, the page shows nothing."""
        usage, used = UsageTable(None, (), (), ()), dict[Account, int]()
        keys, errors, today = list[TeamKeys](), tuple[RecentError, ...](), dict[str, int]()
        with contextlib.suppress(sqlite3.Error, OSError):
            usage = self._collector.load_table(None)
            today = self._collector.store.requests_by_team(now.date())
        with contextlib.suppress(sqlite3.Error, OSError):
            used = self._load_used()
        with contextlib.suppress(MlApiError):
            keys = [*LocalKeys(KeyStore(self._state), lambda: now).teams()]
        with contextlib.suppress(OSError):
            errors = load_recent_errors(self._collector.log, now.timestamp() - RECENT_SECONDS)
        return usage, used, keys, errors, today

    def _load_used(self) -> dict[Account, int]:
        book = AccountBook(self._state / ACCOUNTS_NAME)
        if not book.exists:
            return {}
        try:
            return book.load()[0]
        finally:
            book.close()
