"""What the supervisor says of the entries that may sleep, and what it is told of their calls.

The supervisor connects to a socket and writes a line of JSON whenever something changes; it gets one back for
each of its own, and whenever the calls change:

    {"number": 7, "entries": {"ocr": {"state": "waking", "ready_in": 2.5, "places": 4, "servers": 1}}}
    {"number": 7, "calls": {"ocr": {"under_way": 0, "waiting": 3, "taken": 12, "refused": 1}}}

The number in an answer is that of the last line that was obeyed. An entry that was not spoken of sleeps. Its
places, any number where none are said, are those that it has once it is awake: the calls that wait came with
what it had before a reload.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
from collections import Counter
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.error_shape import RETRY_AFTER_SECONDS
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Callable

    from centralized_ml_api.local.admission.turns import Turns

LINE_LIMIT_BYTES = 4 * 1024 * 1024
"""The longest line: some hundred bytes for each entry."""

LONGEST_SECONDS_BETWEEN_REPORTS = 0.05
"""Calls of a busy entry change a thousand times a second; nobody needs to hear of each."""

READY, WAKING, ASLEEP, FAILED, CLOSED = "ready", "waking", "asleep", "failed", "closed"
"""What an entry does. One that is closed sleeps outside the hours of the event, and nobody wakes it."""

NEVER_SECONDS = 86_400
"""When to try again where no hours follow: the organizer may add some."""


class SleepingError(Exception):
    """A call whose model does not wake, or not in time.

    Attributes:
        state: `asleep` or `waking`, or `failed`.
        retry_after_seconds: When to try again.
        is_closed: Whether it sleeps outside the hours of the event.
    """

    def __init__(self, state: str, retry_after_seconds: int) -> None:
        super().__init__(state)
        self.state = ASLEEP if state == CLOSED else state
        self.retry_after_seconds = retry_after_seconds
        self.is_closed = state == CLOSED

    @property
    def has_failed(self) -> bool:
        """Whether the model was to wake and did not."""
        return self.state == FAILED


@record
class Sleeper:
    """How an entry is. `ready_at` is when a call that comes now is answered; None if nobody knows.

    For one that sleeps that is as long from now at any time, so it is `ready_in` then.
    """

    state: str = ASLEEP
    ready_in: float | None = None
    ready_at: float | None = None

    @property
    def is_over(self) -> bool:
        """Whether it sleeps and no hours follow in which it may wake."""
        return self.state == CLOSED and self.ready_at is None

    def seconds_left(self, now: float) -> float | None:
        """Returns in how many seconds a call would be answered; None if nobody knows, or if it is overdue."""
        left = self.ready_in if self.ready_at is None else self.ready_at - now
        return left if left is not None and left > 0 else None


class Sleepers:
    """The entries that may sleep.

    Args:
        turns: The places at models; those of entries that sleep are not given out.
        now: Returns the seconds of a monotonic clock.
    """

    def __init__(self, turns: Turns, now: Callable[[], float]) -> None:
        self._turns = turns
        self._now = now
        self._sleepers: dict[str, Sleeper] = {}
        self._refused: Counter[str] = Counter()
        self._number = 0
        self._news = asyncio.Event()
        turns.changed = self.note_change

    def is_awake(self, name: str) -> bool:
        """Returns whether calls of an entry go on."""
        return self._find(name).state == READY

    def check(self, name: str, wait_seconds: float) -> None:
        """Lets a call wait for an entry.

        Args:
            name: The entry.
            wait_seconds: How long the call can wait.

        Raises:
            SleepingError: It is known not to wake in time.
        """
        sleeper = self._find(name)
        left = sleeper.seconds_left(self._now())
        is_too_long = left is not None and left > wait_seconds
        if sleeper.state == FAILED or sleeper.is_over or (sleeper.state != READY and is_too_long):
            raise self.refuse(name)

    def refuse(self, name: str) -> SleepingError:
        """Returns what a caller is told, who is counted as one who will come back."""
        sleeper = self._find(name)
        self._refused[name] += 1
        self.note_change()
        left = sleeper.seconds_left(self._now())
        unknown = NEVER_SECONDS if sleeper.is_over else RETRY_AFTER_SECONDS
        seconds = unknown if left is None else max(1, math.ceil(left))
        return SleepingError(sleeper.state if sleeper.state != READY else WAKING, seconds)

    def note_change(self) -> None:
        """Takes note that the calls are others than before."""
        self._news.set()

    def obey(self, line: dict[str, Any]) -> None:
        """Does what a line of the supervisor says.

        Calls that wait for an entry that it does not name any more go on: that one never sleeps from now on.
        """
        now, before = self._now(), self._sleepers
        self._sleepers = {name: _read(entry, now) for name, entry in line["entries"].items()}
        sizes = (
            (name, entry.get("places"), entry.get("servers", 1)) for name, entry in line["entries"].items()
        )
        self._turns.resize({name: (places, servers) for name, places, servers in sizes})
        self._turns.release(before.keys() - self._sleepers.keys())
        self._turns.let_through(self._named(READY))
        self._turns.turn_away([*self._named(FAILED), *self._named(CLOSED)])
        self._number = line["number"]
        self.note_change()

    def report(self) -> dict[str, Any]:
        """Returns the line for the supervisor."""
        return {"number": self._number, "calls": {name: self._count(name) for name in self._sleepers}}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves the supervisor until it hangs up. A new one begins its numbers anew."""
        self._number = 0
        reporting = asyncio.create_task(self._report_changes(writer))
        try:
            while line := await reader.readline():
                self.obey(json.loads(line))
        except (ConnectionError, ValueError, KeyError, TypeError):
            pass  # the supervisor connects again
        except asyncio.CancelledError:
            pass  # this process ends; before Python 3.12, asyncio would write a traceback
        finally:
            reporting.cancel()
            await asyncio.wait({reporting})
            writer.close()

    async def _report_changes(self, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                await self._news.wait()
                self._news.clear()
                writer.write(json.dumps(self.report()).encode() + b"\n")
                await writer.drain()
                await asyncio.sleep(LONGEST_SECONDS_BETWEEN_REPORTS)

    def _find(self, name: str) -> Sleeper:
        return self._sleepers.get(name, Sleeper())

    def _named(self, state: str) -> list[str]:
        return [name for name, sleeper in self._sleepers.items() if sleeper.state == state]

    def _count(self, name: str) -> dict[str, int]:
        busy, taken = self._turns.calls_of(name)
        return {
            "under_way": busy.under_way,
            "waiting": busy.waiting,
            "taken": taken,
            "refused": self._refused[name],
        }


def _read(entry: dict[str, Any], now: float) -> Sleeper:
    state, ready_in = entry["state"], entry["ready_in"]
    counts_down = state in {WAKING, FAILED, CLOSED} and ready_in is not None
    return Sleeper(state, ready_in, now + ready_in if counts_down else None)
