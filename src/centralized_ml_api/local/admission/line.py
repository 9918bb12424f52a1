"""The calls of one entry that have a place or wait for one, and which of them may have a place next."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from dataclasses import dataclass, field
from itertools import islice

from centralized_ml_api.local.admission.prompts import Prompt
from centralized_ml_api.local.admission.slots import Call, Slots

PRESENT_SECONDS = 300.0
"""A caller counts as being about for this long after its last call."""

CALLING_SECONDS = 10.0
"""A caller counts as calling for this long after its last call."""

CALLERS_REMEMBERED = 1000
"""Beyond, those who left are forgotten."""


@dataclass(slots=True, eq=False)
class Waiting:
    """A call on its way to a place: `turn` gets the slot to take there; None if the server chooses.

    `slots` is how many slots each server has to which the call's route leads. Later calls may have another
    route, to servers with more or fewer: a reload does not touch the calls that wait.
    """

    call: Call
    caller: str
    prompt: Prompt
    slots: int
    turn: asyncio.Future[int | None]


@dataclass(slots=True, eq=False)
class Line:
    """The calls of one entry.

    `seen` has the time of each caller's last call, `turn` the number of its last turn. `long_prompts` has the
    calls with a place whose prompts are long, `read_beside` how many tokens of prompts each caller had read
    since the last of them got its place. `slots` are those of the server, if there is one alone. `sleeper` is
    the entry that must be awake; None if it never sleeps. `notices_seconds` is how long the server may need
    to notice that a caller has left. `look_again` is set while a place is free that none of those who wait
    may have yet.
    """

    places: int | None = None
    servers: int = 1
    sleeper: str | None = None
    notices_seconds: float = 0.0
    under_way: Counter[str] = field(default_factory=Counter)
    waiting: dict[str, deque[Waiting]] = field(default_factory=dict)
    seen: dict[str, float] = field(default_factory=dict)
    turn: dict[str, int] = field(default_factory=dict)
    turns: int = 0
    long_prompts: dict[Call, Waiting] = field(default_factory=dict)
    read_beside: Counter[str] = field(default_factory=Counter)
    slots: Slots = field(default_factory=Slots)
    look_again: asyncio.TimerHandle | None = None

    @property
    def waiting_count(self) -> int:
        """How many calls wait."""
        return sum(map(len, self.waiting.values()))

    @property
    def has_place(self) -> bool:
        """Whether one more call would have a place."""
        return self.places is None or self.under_way.total() < self.places

    def takes_others_place(self, caller: str, now: float) -> bool:
        """Returns whether one more call would take a place that is left to others."""
        if self.places is None or self.places == 1:
            return False
        had, shares_servers = self.under_way[caller], self.places > self.servers
        takes_half, takes_last = shares_servers and had >= (self.places + 1) // 2, had >= self.places - 1
        return (takes_half and self.others_about(caller, now, CALLING_SECONDS)) or (
            takes_last and self.others_about(caller, now)
        )

    def is_about(self, caller: str, now: float, seconds: float = PRESENT_SECONDS) -> bool:
        """Returns whether a caller has a call under way or waiting, or had one in the last seconds."""
        busy = caller in self.under_way or caller in self.waiting
        return busy or now - self.seen[caller] < seconds

    def others_about(self, caller: str, now: float, seconds: float = PRESENT_SECONDS) -> bool:
        """Returns whether any other caller is about."""
        return any(self.is_about(other, now, seconds) for other in self.seen if other != caller)

    def see(self, caller: str, now: float) -> None:
        """Notes that a caller was here; forgets who has left when there are too many to remember."""
        self.seen[caller] = now
        if len(self.seen) > CALLERS_REMEMBERED:
            for other in [other for other in self.seen if not self.is_about(other, now)]:
                del self.seen[other]
                self.turn.pop(other, None)

    def has_had_its_share(self, caller: str) -> bool:
        """Returns whether a caller, which has a place, had as much read beside another's long prompt."""
        beside = [call.prompt.tokens for call in self.long_prompts.values() if call.caller != caller]
        return (
            bool(beside)
            and self.under_way[caller] >= self.servers
            and self.read_beside[caller] >= max(beside)
        )

    def next_waiting(self, caller: str, now: float) -> Waiting | None:
        """Returns the caller's oldest call that may have a place now."""
        if self.takes_others_place(caller, now) or self.has_had_its_share(caller):
            return None
        only_short = len(self.long_prompts) >= self.servers and self.others_about(caller, now)
        return next(
            (
                waiting
                for waiting in self.waiting[caller]
                if not waiting.turn.cancelled() and not (only_short and waiting.prompt.is_long)
            ),
            None,
        )

    def note_turn(self, waiting: Waiting, now: float) -> int | None:
        """Notes that a call gets its place; returns the slot to take there, None if the server chooses."""
        caller, prompt = waiting.caller, waiting.prompt
        self.turns += 1
        self.turn[caller] = self.turns
        self.under_way[caller] += 1
        if prompt.is_long:
            self.long_prompts[waiting.call] = waiting
            self.read_beside.clear()
        elif self.long_prompts:
            self.read_beside[caller] += prompt.tokens
        slot = self._choose_slot(waiting, now)
        self.slots.take(waiting.call, caller, prompt, slot)
        return slot

    def note_end(self, call: Call, caller: str, now: float) -> None:
        """Notes that a call gives its place back."""
        self.see(caller, now)
        self.long_prompts.pop(call, None)
        self.slots.free(call)
        self.under_way[caller] -= 1
        if not self.under_way[caller]:
            del self.under_way[caller]

    def _choose_slot(self, waiting: Waiting, now: float) -> int | None:
        """Returns the slot that a call is to take; None if the server chooses.

        llama.cpp reads prompts in the order of its slots, a batch at a time: what is read in the last slot
        holds up nobody. So beside other callers, a long prompt goes there, even if it has to wait for it. A
        call for a slot that the server does not have would wait for good.
        """
        caller, prompt = waiting.caller, waiting.prompt
        count = min(waiting.slots, (self.places or 0) // self.servers)
        if count <= 1 or not prompt.takes_slot:
            return None
        if prompt.is_long and self.others_about(caller, now):
            return count - 1
        if self.servers > 1 or not prompt.text:
            return None
        about = len(list(islice((other for other in self.seen if self.is_about(other, now)), count)))
        return self.slots.choose(caller, prompt.text, count=count, share=count // about)

    def leave(self, waiting: Waiting) -> None:
        """Takes a call out of the line, if it is still in it."""
        queue = self.waiting.get(waiting.caller, deque())
        if waiting in queue:
            queue.remove(waiting)
            if not queue:
                del self.waiting[waiting.caller]
