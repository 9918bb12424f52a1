"""Gives out the places at models: who calls now, who waits, whose turn is next.

A model with a few places serves the team with the fewest calls under way first, and among equals the one
whose last turn was longest ago. A team that is alone may have every place. While others are about, it leaves
one: an endless answer cannot be interrupted, so the last place must not be given to who has all others.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PRESENT_SECONDS = 300.0
"""A caller counts as being about for this long after its last call."""

WAITING_PER_CALLER = 100
WAITING_PER_ENTRY = 500
"""The most calls that wait at one entry; beyond, a call is refused at once."""

CALLERS_REMEMBERED = 1000
"""Beyond, those who left are forgotten."""

ENDS_REMEMBERED = 10_000
"""Calls that were over before they had their turn. What Envoy tells of a call may arrive in any order."""

Call = Hashable
"""Identifies a call from its beginning to its end."""


class LineFullError(Exception):
    """No more calls may wait.

    Attributes:
        own: Whether it is the caller itself that has too many waiting.
    """

    def __init__(self, *, own: bool) -> None:
        super().__init__("too many calls are waiting")
        self.own = own


class CallOverError(Exception):
    """The call was over before it had its turn: its caller had hung up."""


@dataclass(slots=True, eq=False)
class _Waiting:
    call: Call
    caller: str
    turn: asyncio.Future[None]


@dataclass(slots=True, eq=False)
class _Line:
    """The calls of one entry.

    `seen` has the time of each caller's last call, `turn` the number of its last turn.
    """

    places: int | None = None
    under_way: Counter[str] = field(default_factory=Counter)
    waiting: dict[str, deque[_Waiting]] = field(default_factory=dict)
    seen: dict[str, float] = field(default_factory=dict)
    turn: dict[str, int] = field(default_factory=dict)
    turns: int = 0

    @property
    def waiting_count(self) -> int:
        return sum(map(len, self.waiting.values()))

    @property
    def has_place(self) -> bool:
        return self.places is None or self.under_way.total() < self.places

    def takes_last_place(self, caller: str) -> bool:
        """Returns whether one more call would leave no place to the others."""
        return self.places is not None and 1 < self.places <= self.under_way[caller] + 1

    def is_about(self, caller: str, now: float) -> bool:
        """Returns whether a caller has a call under way or waiting, or had one a little while ago."""
        busy = caller in self.under_way or caller in self.waiting
        return busy or now - self.seen[caller] < PRESENT_SECONDS

    def others_about(self, caller: str, now: float) -> bool:
        return any(self.is_about(other, now) for other in self.seen if other != caller)

    def see(self, caller: str, now: float) -> None:
        """Notes that a caller was here; forgets who has left when there are too many to remember."""
        self.seen[caller] = now
        if len(self.seen) > CALLERS_REMEMBERED:
            for other in [other for other in self.seen if not self.is_about(other, now)]:
                del self.seen[other]
                self.turn.pop(other, None)

    def next_waiting(self, caller: str) -> _Waiting | None:
        """Takes the caller's oldest call out of the line; None if it has hung up meanwhile."""
        queue = self.waiting[caller]
        waiting = queue.popleft()
        if not queue:
            del self.waiting[caller]
        return None if waiting.turn.cancelled() else waiting

    def leave(self, waiting: _Waiting) -> None:
        """Takes a call that hung up out of the line, if it is still in it."""
        queue = self.waiting.get(waiting.caller, deque())
        if waiting in queue:
            queue.remove(waiting)
            if not queue:
                del self.waiting[waiting.caller]


@dataclass(frozen=True, slots=True)
class Occupancy:
    """How many calls of an entry are under way, and how many wait."""

    under_way: int
    waiting: int


class Turns:
    """The places of all entries. Everything happens in one event loop.

    Args:
        now: Returns the seconds of a monotonic clock.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lines: dict[str, _Line] = {}
        self._under_way: dict[Call, tuple[str, str]] = {}
        self._at_once: dict[str, int] = {}
        self._total: Counter[str] = Counter()
        self._ended: dict[Call, None] = {}

    async def take(
        self, call: Call, entry: str, caller: str, *, places: int | None, at_once: int | None
    ) -> None:
        """Waits for the turn of a call, which from then on has a place until `give_back`.

        When cancelled, the call has neither place nor turn.

        Args:
            call: The call.
            entry: The entry that it calls.
            caller: Who takes turns with others: a team, or an address.
            places: How many calls the entry answers at once; None for any number.
            at_once: How many calls the caller may have under way at all entries together; None for any.

        Raises:
            CallOverError: The call is over already.
            LineFullError: Too many calls wait there already.
        """
        line = self._lines.setdefault(entry, _Line())
        line.places = places
        if at_once is None:
            self._at_once.pop(caller, None)
        else:
            self._at_once[caller] = at_once
        line.see(caller, self._now())
        self._refuse_if_full(line, caller)
        waiting = _Waiting(call, caller, asyncio.get_running_loop().create_future())
        line.waiting.setdefault(caller, deque()).append(waiting)
        self._serve(entry)
        try:
            await waiting.turn
        except asyncio.CancelledError:
            if not self.give_back(call):
                line.leave(waiting)
            raise

    def end(self, call: Call) -> None:
        """Frees the place of a call that is over; if it has none, it will not get one any more either."""
        if self.give_back(call):
            return
        self._ended[call] = None
        if len(self._ended) > ENDS_REMEMBERED:
            del self._ended[next(iter(self._ended))]

    def give_back(self, call: Call) -> bool:
        """Frees the place of a call that is over; returns whether it had one."""
        held = self._under_way.pop(call, None)
        if held is None:
            return False
        entry, caller = held
        line = self._lines[entry]
        line.see(caller, self._now())
        for counter in (line.under_way, self._total):
            counter[caller] -= 1
            if not counter[caller]:
                del counter[caller]
        self._serve(entry)
        if caller in self._at_once:  # it may wait elsewhere because of the call that is over
            for other in [name for name, line in self._lines.items() if caller in line.waiting]:
                self._serve(other)
        return True

    def forget(self) -> None:
        """Frees all places: the gateway was started anew, and every call through it is over."""
        for call in list(self._under_way):
            self.give_back(call)

    def occupancy(self) -> dict[str, Occupancy]:
        """Returns how busy each entry is that was called before."""
        return {
            entry: Occupancy(line.under_way.total(), line.waiting_count)
            for entry, line in sorted(self._lines.items())
        }

    def _refuse_if_full(self, line: _Line, caller: str) -> None:
        if len(line.waiting.get(caller, ())) >= WAITING_PER_CALLER:
            raise LineFullError(own=True)
        if line.waiting_count >= WAITING_PER_ENTRY:
            raise LineFullError(own=False)

    def _serve(self, entry: str) -> None:
        """Gives out every place that somebody may have."""
        line = self._lines[entry]
        while line.has_place and (caller := self._next_caller(line)) is not None:
            waiting = line.next_waiting(caller)
            if waiting is None:
                continue
            if waiting.call in self._ended:
                del self._ended[waiting.call]
                waiting.turn.set_exception(CallOverError())
                continue
            line.turns += 1
            line.turn[caller] = line.turns
            line.under_way[caller] += 1
            self._total[caller] += 1
            self._under_way[waiting.call] = (entry, caller)
            waiting.turn.set_result(None)

    def _next_caller(self, line: _Line) -> str | None:
        now = self._now()
        candidates = [
            caller
            for caller in line.waiting
            if self._total[caller] < self._at_once.get(caller, self._total[caller] + 1)
            and not (line.takes_last_place(caller) and line.others_about(caller, now))
        ]
        return min(
            candidates, key=lambda caller: (line.under_way[caller], line.turn.get(caller, 0)), default=None
        )
