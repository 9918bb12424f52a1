"""Gathers what the organizer's screen shows, from the parts that know it, and keeps its history."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from centralized_ml_api.errors import MlApiError
from centralized_ml_api.local.admission.account_book import ACCOUNTS_NAME, load_used
from centralized_ml_api.local.board.document import RECENT_SECONDS, Known, build_document
from centralized_ml_api.local.board.history import History, keep_history
from centralized_ml_api.local.keys import JoinBook, KeyStore, LocalKeys
from centralized_ml_api.local.keys.invitation import invite
from centralized_ml_api.local.machine.ports import reachable_urls
from centralized_ml_api.local.usage.collector import UsageCollector
from centralized_ml_api.local.usage.first_words import load_usual_wait
from centralized_ml_api.local.usage.recent_errors import load_recent_errors
from centralized_ml_api.organizer.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from centralized_ml_api.api.invitation import Invitation
    from centralized_ml_api.local.machine.clock import Clock
    from centralized_ml_api.local.run.grants import Grants
    from centralized_ml_api.local.run.notices import Notices
    from centralized_ml_api.local.status import LocalStatus
    from centralized_ml_api.local.traffic.types import Traffic
    from centralized_ml_api.organizer.journal import Actor
    from centralized_ml_api.plan.event import EventPlan
    from centralized_ml_api.plan.types import ApiPlan

SHOWN_DEEDS = 40


class Target(Protocol):
    """What is shown: `LocalTarget`."""

    @property
    def plan(self) -> ApiPlan:
        """The plan that is served now."""
        ...

    @property
    def event(self) -> EventPlan:
        """The event as its config has it, without the teams that have joined."""
        ...

    @property
    def notices(self) -> Notices:
        """What is paused, and what is said to everybody."""
        ...

    @property
    def grants(self) -> Grants:
        """What teams may use on top of their limits."""
        ...

    async def look(self) -> LocalStatus:
        """Returns how it is now."""
        ...

    async def traffic(self) -> Traffic:
        """Returns what was called."""
        ...

    async def act(self, act: str, wanted: Mapping[str, Any], by: Actor) -> dict[str, Any]:
        """Does something; see `Acts.do`."""
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
        await keep_history(
            self._history, self._target.traffic, self._names, self._load_usual_wait, self._clock
        )

    async def act(self, act: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Does something as the organizer in front of the screen says; see `Acts.do`."""
        return await self._target.act(act, wanted, "screen")

    async def build(self) -> dict[str, Any]:
        """Returns everything that the page shows."""
        status, plan, now = await self._target.look(), self._target.plan, self._clock.now()
        known = Known(
            status=status,
            urls=reachable_urls(status.host, status.address) if status.address else (),
            event=plan.event,
            history=self._history,
            now=now,
            paused=self._target.notices.to_json(),
            paused_teams=self._target.notices.list_teams(),
            granted=self._target.grants.to_json(),
            message=self._target.notices.message,
        )
        return build_document(await asyncio.to_thread(self._load, known))

    def _names(self) -> tuple[list[str], list[str]]:
        plan = self._target.plan
        return [entry.name for entry in plan.deployments], [team.name for team in plan.event.teams]

    async def _load_usual_wait(self, since: float) -> float | None:
        with contextlib.suppress(OSError):
            return await asyncio.to_thread(load_usual_wait, self._collector.log, since)
        return None

    def _load(self, known: Known) -> Known:
        """Adds what is on the disk; of what cannot be read now, the page shows nothing."""
        now, found = known.now, dict[str, Any]()
        with contextlib.suppress(sqlite3.Error, OSError):
            found["usage"] = self._collector.load_table(None)
            found["used_today"] = self._collector.store.requests_by_team(now.date())
        with contextlib.suppress(sqlite3.Error, OSError):
            found["used"] = load_used(self._state / ACCOUNTS_NAME)
        with contextlib.suppress(MlApiError):
            found["keys"] = [*LocalKeys(KeyStore(self._state), lambda: now).teams()]
        with contextlib.suppress(OSError):
            found["errors"] = load_recent_errors(self._collector.log, now.timestamp() - RECENT_SECONDS)
        with contextlib.suppress(OSError):
            found["journal"] = Journal(self._state).load(SHOWN_DEEDS)
        with contextlib.suppress(MlApiError):
            found["invitation"] = self._invite(known)
        return replace(known, **found)

    def _invite(self, known: Known) -> Invitation:
        address = next(iter(known.urls), known.status.address)
        return invite(JoinBook(self._state), self._target.event, address, known.now)
