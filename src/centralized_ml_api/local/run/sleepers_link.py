"""Tells the admission service which entries sleep, and hears from it how many calls they have."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.admission.sleepers import (
    ASLEEP,
    CLOSED,
    FAILED,
    LINE_LIMIT_BYTES,
    READY,
    WAKING,
)
from centralized_ml_api.local.admission.terms import SLEEPERS_SOCKET
from centralized_ml_api.local.envoy.admin import shorten_path
from centralized_ml_api.local.machine.clock import WALL_CLOCK, Clock
from centralized_ml_api.local.sleep.types import Calls

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from centralized_ml_api.local.sleep.types import View
    from centralized_ml_api.plan.types import ModelDeployment

RECONNECT_SECONDS = 0.1
AWAY_SECONDS = 5.0


class SleepersLink:
    """One connection to the admission service, made again whenever it ends. Call `run` in a task.

    Args:
        folder: Where the service has its sockets.
        clock: Waits before the next try.

    Attributes:
        changed: Called when the calls changed, or are known or unknown from now on.
    """

    def __init__(self, folder: Path, *, clock: Clock = WALL_CLOCK) -> None:
        self.changed: Callable[[], None] = lambda: None
        self._folder = folder
        self._clock = clock
        self._entries: dict[str, dict[str, Any]] = {}
        self._number = 0
        self._obeyed = 0
        self._calls: dict[str, Calls] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._needed = asyncio.Event()
        self._heard = asyncio.Condition()

    @property
    def sees_calls(self) -> bool:
        """Whether the calls are known."""
        return self._obeyed > 0

    def calls(self, name: str) -> Calls:
        """Returns the calls of an entry as they were last told."""
        return self._calls.get(name, Calls())

    def tell(self, entries: dict[str, dict[str, Any]]) -> int:
        """Tells how the entries are, now or once the service can be reached; returns a number, from 1 on."""
        self._entries = entries
        self._number += 1
        if entries:
            self._needed.set()
        if self._writer is not None:
            self._write(self._writer)
        return self._number

    async def obeyed(self, number: int) -> None:
        """Waits until the service does what it was told under that number, or later."""
        async with self._heard:
            await self._heard.wait_for(lambda: self._obeyed >= number)

    async def obeyed_or_away(self, number: int) -> None:
        """Waits like `obeyed`, but only for a while: the service may be away."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(AWAY_SECONDS):
                await self.obeyed(number)

    async def run(self) -> None:
        """Keeps the connection until cancelled; makes none before there is something to tell."""
        await self._needed.wait()
        while True:
            with contextlib.suppress(OSError, ValueError):
                await self._talk()
            self._forget()
            await self._clock.sleep(RECONNECT_SECONDS)

    async def _talk(self) -> None:
        """Talks to the service until it hangs up."""
        with shorten_path(self._folder / SLEEPERS_SOCKET) as socket:
            reader, writer = await asyncio.open_unix_connection(socket, limit=LINE_LIMIT_BYTES)
        try:
            self._writer = writer
            self._write(writer)
            while line := await reader.readline():
                said = json.loads(line)
                self._calls = {name: Calls(**counts) for name, counts in said["calls"].items()}
                self._obeyed = said["number"]
                await self._announce()
        finally:
            writer.close()

    def _forget(self) -> None:
        """Forgets the calls: those of a service that ended may still be under way, but nobody waits there."""
        self._writer = None
        self._calls = {name: replace(calls, waiting=0) for name, calls in self._calls.items()}
        if self._obeyed:
            self._obeyed = 0
            self.changed()

    async def _announce(self) -> None:
        async with self._heard:
            self._heard.notify_all()
        self.changed()

    def _write(self, writer: asyncio.StreamWriter) -> None:
        line = json.dumps({"number": self._number, "entries": self._entries})
        writer.write(line.encode() + b"\n")


def count_places(entry: ModelDeployment) -> tuple[int | None, int]:
    """Returns how many calls the servers of an entry answer at once, None for any number, and their number.

    These are those that will be awake: calls that wait now may have come when there were others. Pure.
    """
    places = entry.local.places if entry.local else None
    return (None, 1) if places is None or entry.local is None else (places, entry.local.replicas)


def describe_view(view: View | None, places: int | None = None, servers: int = 1) -> dict[str, Any]:
    """Returns what the service is told of an entry. Pure.

    Args:
        view: How it is; None stands for one whose calls are held.
        places: How many calls its servers answer at once; None for any number.
        servers: How many it has.
    """
    size = {} if places is None else {"places": places, "servers": servers}
    if view is None:
        return {"state": ASLEEP, "ready_in": None, **size}
    return {"state": _word_state(view), "ready_in": view.ready_in, **size}


def digest_view(view: View | None, now: float) -> tuple[str, int | None]:
    """Returns what must have changed before the service is told anew: a state, or when it ends. Pure."""
    state, ready_in, *_ = describe_view(view).values()
    if ready_in is None:
        return state, None
    return state, round(ready_in if state == ASLEEP else now + ready_in)


def _word_state(view: View) -> str:
    if view.phase == "ready":
        return READY
    if view.closed:
        return CLOSED
    if view.failed:
        return FAILED
    return WAKING if view.phase == "waking" else ASLEEP
