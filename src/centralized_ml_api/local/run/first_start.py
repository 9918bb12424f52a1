"""How the first start goes: when it is said that the API serves, and when that nothing could start."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from centralized_ml_api.errors import StartError

if TYPE_CHECKING:
    from collections.abc import Callable

    from centralized_ml_api.local.run.ending import Clock
    from centralized_ml_api.local.status import LocalStatus

SLOW_SECONDS = 20.0
"""From the first entry that answers until nobody waits for the others any more."""


class FirstStart:
    """Watches the status until `run` is cancelled; `overdue` once the slow are not waited for any more."""

    def __init__(self, show: Callable[[], None], clock: Clock) -> None:
        self._show = show
        self._clock = clock
        self._serving = asyncio.Event()
        self._settled = False
        self._nothing_serves = asyncio.Event()
        self.overdue = False

    def note(self, status: LocalStatus) -> None:
        """Hears of every status."""
        if status.address and status.serving:
            self._serving.set()
        if status.settled and not self._settled:
            self._settled = True
            if not status.serving:
                self._nothing_serves.set()

    async def run(self) -> None:
        """Shows the status anew when the slow are overdue.

        Raises:
            StartError: every entry's start is over, and none serves.
        """
        waiting = asyncio.create_task(self._wait_for_the_slow())
        try:
            await self._nothing_serves.wait()
        finally:
            waiting.cancel()
        raise StartError("no model could start", fix="see above; `mlapi logs NAME` shows a model's whole log")

    async def _wait_for_the_slow(self) -> None:
        await self._serving.wait()
        await self._clock.sleep(SLOW_SECONDS)
        self.overdue = True
        self._show()
