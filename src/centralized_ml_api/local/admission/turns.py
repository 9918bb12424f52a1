"""Gives out the places at models: who calls now, who waits, whose turn is next.

A model with a few places serves the team with the fewest calls under way first, and among equals the one
whose last turn was longest ago. A team that is alone may have every place. While others are about, it leaves
them one: an endless answer cannot be interrupted, so the last place must not be given to who has all others.
Where several answers share a server's processor, each makes the others slower: there a team gets no further
place once it has half of them, rounded up.

A team that has had much more of the model lately than the others have on average gives way to them: it is
served after them, and where answers share a processor only while none of theirs is computed, one call at a
time. So a flood takes what the others leave, and hardly delays them. How much each has had is forgotten
within minutes, and nobody waits with no call under way for more than seconds: nobody starves.

An entry that may sleep gives out places while it is awake only; until then its calls wait in its lines.

Turns are weighed by what a model has to read. While others are about, a server gets one long prompt at a
time; a team's short calls pass its long one that waits. Short prompts are read before a long one, so beside
another team's long prompt, a team that has had as many tokens read since it came gets one place.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from typing import TYPE_CHECKING

from centralized_ml_api.local.admission.ended_calls import EndedCalls
from centralized_ml_api.local.admission.line import Line, Waiting
from centralized_ml_api.local.admission.prompts import NO_PROMPT, Prompt
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from centralized_ml_api.local.admission.callers import Presence
    from centralized_ml_api.local.admission.slots import Call

WAITING_PER_CALLER = 100
WAITING_PER_ENTRY = 500
"""The most calls that wait at one entry; beyond, a call is refused at once."""

LOOK_AGAIN_SECONDS = 1.0
"""How often is looked whether a place that was left to others may be given out by now."""


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


class NotAwakeError(Exception):
    """The entry did not wake."""


@record
class Occupancy:
    """How many calls of an entry are under way, and how many wait."""

    under_way: int
    waiting: int


class Turns:
    """The places of all entries. Everything happens in one event loop.

    Args:
        now: Returns the seconds of a monotonic clock.

    Attributes:
        changed: Called after each change of the calls of an entry that may sleep.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.changed: Callable[[], None] = lambda: None
        self._awake: frozenset[str] = frozenset()
        self._lines: dict[str, Line] = {}
        self._waits_at: dict[str, set[str]] = {}
        """The entries at which each caller waits."""
        self._under_way: dict[Call, tuple[str, str]] = {}
        self._at_once: dict[str, int] = {}
        self._sizes: dict[str, tuple[int | None, int]] = {}
        self._total: Counter[str] = Counter()
        self._ended = EndedCalls()

    async def take(
        self,
        call: Call,
        entry: str,
        caller: str,
        *,
        places: int | None,
        at_once: int | None,
        servers: int = 1,
        prompt: Prompt = NO_PROMPT,
        sleeper: str | None = None,
        notices_seconds: float = 0.0,
    ) -> int | None:
        """Waits for the turn of a call, which from then on has a place until `give_back`.

        Returns the slot that it is to take; None if its server chooses.

        When cancelled, the call has neither place nor turn.

        Args:
            call: The call.
            entry: The entry that it calls.
            caller: Who takes turns with others: a team, or an address.
            places: How many calls the entry answers at once; None for any number. What `resize` was told
                goes before.
            at_once: How many calls the caller may have under way at all entries together; None for any.
            servers: How many processes share the places.
            prompt: What the call has its model read.
            sleeper: The entry that must be awake; None if it never sleeps.
            notices_seconds: How long a server may need to notice that a caller has left.

        Raises:
            CallOverError: The call is over already.
            LineFullError: Too many calls wait there already.
            NotAwakeError: The entry did not wake.
        """
        line = self._lines.setdefault(entry, Line(number=len(self._lines)))
        line.places, line.servers = self._sizes.get(entry, (places, servers))
        line.sleeper = sleeper
        line.notices_seconds = notices_seconds
        if at_once is None:
            self._at_once.pop(caller, None)
        else:
            self._at_once[caller] = at_once
        line.see(caller, self._now())
        self._refuse_if_full(line, caller)
        turn: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        waiting = Waiting(call, caller, prompt, (places or 0) // servers, turn)
        line.waiting.setdefault(caller, deque()).append(waiting)
        self._waits_at.setdefault(caller, set()).add(entry)
        self._serve(entry)
        try:
            return await waiting.turn
        except asyncio.CancelledError:
            if not self.give_back(call):
                self._leave(entry, waiting)
                self._note_change(line)
            raise

    def end(self, call: Call, *, lingers: bool = False) -> None:
        """Frees the place of a call that is over; if it has none, it will not get one any more either.

        Args:
            call: The call.
            lingers: Whether its server may still work at it: its place is then freed when the server has
                noticed.
        """
        if call not in self._under_way:
            self._ended.note(call)
            return
        entry, _ = self._under_way[call]
        seconds = self._lines[entry].notices_seconds
        if lingers and seconds:
            asyncio.get_running_loop().call_later(seconds, self.give_back, call)
        else:
            self.give_back(call)

    def give_back(self, call: Call) -> bool:
        """Frees the place of a call that is over; returns whether it had one."""
        held = self._under_way.pop(call, None)
        if held is None:
            return False
        entry, caller = held
        line = self._lines[entry]
        line.note_end(call, caller, self._now())
        self._total[caller] -= 1
        if not self._total[caller]:
            del self._total[caller]
        self._serve(entry)
        if caller in self._at_once:  # it may wait elsewhere because of the call that is over
            waits_at = self._waits_at.get(caller, ())
            for other in sorted(waits_at, key=lambda name: self._lines[name].number):
                self._serve(other)
        return True

    def resize(self, sizes: Mapping[str, tuple[int | None, int]]) -> None:
        """Takes the places and servers that entries have from now on; all others have those of their calls.

        A call that waits for a model that sleeps came with the places that it had before a reload.
        """
        self._sizes = dict(sizes)
        for entry, (places, servers) in sizes.items():
            if entry in self._lines:
                self._lines[entry].places, self._lines[entry].servers = places, servers

    def let_through(self, awake: Collection[str]) -> None:
        """Gives out the places of these entries from now on, of those that may sleep."""
        self._awake = frozenset(awake)
        for entry in self._lines_of(self._awake):
            self._serve(entry)

    def release(self, former: Collection[str]) -> None:
        """Gives out the places of entries that may not sleep any more, whether or not they are awake."""
        for entry in self._lines_of(former):
            self._lines[entry].sleeper = None
            self._serve(entry)

    def turn_away(self, sleepers: Collection[str]) -> None:
        """Ends the wait of all calls of entries that did not wake."""
        for entry in self._lines_of(sleepers):
            line = self._lines[entry]
            for waiting in [waiting for queue in line.waiting.values() for waiting in queue]:
                self._leave(entry, waiting)
                if not waiting.turn.done():
                    waiting.turn.set_exception(NotAwakeError())
            self._note_change(line)

    def calls_of(self, sleeper: str) -> tuple[Occupancy, int]:
        """Returns how busy an entry is that may sleep, and how many of its calls ever had their turn."""
        lines = [line for line in self._lines.values() if line.sleeper == sleeper]
        under_way = sum(line.under_way.total() for line in lines)
        waiting = sum(line.waiting_count for line in lines)
        return Occupancy(under_way, waiting), sum(line.turns for line in lines)

    def occupancy(self) -> dict[str, Occupancy]:
        """Returns how busy each entry is that was called before."""
        return {
            entry: Occupancy(line.under_way.total(), line.waiting_count)
            for entry, line in sorted(self._lines.items())
        }

    def places(self) -> dict[str, int]:
        """Returns how many calls each entry answers at once that was called before; not of any number."""
        return {entry: line.places for entry, line in self._lines.items() if line.places is not None}

    def _refuse_if_full(self, line: Line, caller: str) -> None:
        if len(line.waiting.get(caller, ())) >= WAITING_PER_CALLER:
            raise LineFullError(own=True)
        if line.waiting_count >= WAITING_PER_ENTRY:
            raise LineFullError(own=False)

    def _lines_of(self, sleepers: Collection[str]) -> list[str]:
        return [entry for entry, line in self._lines.items() if line.sleeper in sleepers]

    def _note_change(self, line: Line) -> None:
        if line.sleeper is not None:
            self.changed()

    def _leave(self, entry: str, waiting: Waiting) -> None:
        """Takes a call out of the line of its entry, if it is still in it."""
        line, caller = self._lines[entry], waiting.caller
        line.leave(waiting)
        if caller not in line.waiting and caller in self._waits_at:
            self._waits_at[caller].discard(entry)
            if not self._waits_at[caller]:
                del self._waits_at[caller]

    def _serve(self, entry: str) -> None:
        """Gives out every place that somebody may have."""
        line = self._lines[entry]
        may_go_on = line.sleeper is None or line.sleeper in self._awake
        while may_go_on and line.has_place and line.waiting:
            presence = line.find_presence(self._now())
            waiting = self._next_waiting(line, presence)
            if waiting is None:
                break
            if self._ended.take(waiting.call):
                self._leave(entry, waiting)
                waiting.turn.set_exception(CallOverError())
                continue
            slot = line.note_turn(waiting, presence, self._now())
            self._leave(entry, waiting)
            self._total[waiting.caller] += 1
            self._under_way[waiting.call] = (entry, waiting.caller)
            waiting.turn.set_result(slot)
        if may_go_on and line.has_place and line.waiting and line.look_again is None:
            # That others call, or are about, ends by the clock alone.
            line.look_again = asyncio.get_running_loop().call_later(
                LOOK_AGAIN_SECONDS, self._serve_again, entry
            )
        self._note_change(line)

    def _serve_again(self, entry: str) -> None:
        self._lines[entry].look_again = None
        self._serve(entry)

    def _next_waiting(self, line: Line, presence: Presence) -> Waiting | None:
        candidates = [
            waiting
            for caller in line.waiting
            if self._total[caller] < self._at_once.get(caller, self._total[caller] + 1)
            and (waiting := line.next_waiting(caller, presence)) is not None
        ]
        if len(candidates) <= 1:  # who is alone need not be compared
            return next(iter(candidates), None)
        return min(candidates, key=lambda waiting: line.rank(waiting.caller, presence))
