"""Decides how the first start went: when to stop waiting for slow entries, and when nothing could start."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from centralized_ml_api.commands import command, state_flags
from centralized_ml_api.errors import StartError
from centralized_ml_api.local.run.tasks import wait_for_first
from centralized_ml_api.plan.engines import ENGINES

if TYPE_CHECKING:
    from collections.abc import Callable

    from centralized_ml_api.local.machine.clock import Clock
    from centralized_ml_api.local.status import EntryStatus, LocalStatus

SLOW_SECONDS = 20.0
"""How long the others are waited for once the first entry answers."""


class FirstStart:
    """Follows the status until `run` is cancelled. `overdue`: the slow entries are no longer waited for."""

    def __init__(self, show: Callable[[], None], clock: Clock) -> None:
        self._show = show
        self._clock = clock
        self._serving, self._announced = asyncio.Event(), asyncio.Event()
        self._settled = False
        self._fix = ""
        self._nothing_serves = asyncio.Event()
        self.overdue = False

    def note(self, status: LocalStatus) -> None:
        """Takes note of every status."""
        if status.address and status.serving:
            self._serving.set()
        if status.announced:
            self._announced.set()
        else:
            self._announced.clear()
        if status.settled and not self._settled:
            self._settled = True
            if not status.serving:
                self._fix = _fix(status)
                self._nothing_serves.set()

    async def until_serving(self, seconds: float) -> None:
        """Waits until the first entry answers, no longer than so many seconds."""
        await wait_for_first(self._serving.wait(), self._clock.sleep(seconds))

    async def until_announced(self, seconds: float) -> None:
        """Waits until it is time to announce that the API serves, no longer than so many seconds."""
        await wait_for_first(self._announced.wait(), self._clock.sleep(seconds))

    async def run(self) -> None:
        """Shows the status again when the slow entries are overdue.

        Raises:
            StartError: The start of every entry is over, and none serves.
        """
        waiting = asyncio.create_task(self._wait_for_the_slow())
        try:
            await self._nothing_serves.wait()
        finally:
            waiting.cancel()
        raise StartError("no model could start", fix=self._fix)

    async def _wait_for_the_slow(self) -> None:
        await self._serving.wait()
        await self._clock.sleep(SLOW_SECONDS)
        self.overdue = True
        self._show()


def _fix(status: LocalStatus) -> str:
    """Names the log of the first model that failed; where none was even tried, what the config lacks."""
    tried = [entry for entry in status.entries if entry.state != "not served"]
    if not tried:
        return "give an entry a local block: each 501 above says which"
    failed = next((entry.name for entry in tried if _has_log(entry)), None)
    if failed is None:
        return "the reasons are above"
    log = command("logs", failed, *state_flags(Path(status.state_folder)))
    return f"the reasons are above; the whole log of {failed}: {log}"


def _has_log(entry: EntryStatus) -> bool:
    """Returns whether a process of this machine serves the entry, or stands before it."""
    engine = ENGINES.get(entry.engine)
    return engine is None or engine.runs_here or entry.integration == "lambda"
