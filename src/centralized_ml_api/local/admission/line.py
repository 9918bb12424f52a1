"""The calls of one entry that have a place or wait for one, and which of them may have a place next."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from dataclasses import dataclass, field

from centralized_ml_api.local.admission.callers import Caller, Presence
from centralized_ml_api.local.admission.prompts import Prompt
from centralized_ml_api.local.admission.slots import Call, Slots

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

    `callers` has what is known of each caller. `long_prompts` has the calls with a place whose prompts are
    long, `read_beside` how many tokens of prompts each caller had read since the last of them got its place.
    `slots` are those of the server, if there is one alone. `sleeper` is the entry that must be awake; None if
    it never sleeps. `notices_seconds` is how long the server may need to notice that a caller has left.
    `look_again` is set while a place is free that none of those who wait may have yet. `number` counts the
    lines in the order in which they were first called.
    """

    places: int | None = None
    servers: int = 1
    sleeper: str | None = None
    notices_seconds: float = 0.0
    under_way: Counter[str] = field(default_factory=Counter)
    waiting: dict[str, deque[Waiting]] = field(default_factory=dict)
    callers: dict[str, Caller] = field(default_factory=dict)
    turns: int = 0
    long_prompts: dict[Call, Waiting] = field(default_factory=dict)
    read_beside: Counter[str] = field(default_factory=Counter)
    slots: Slots = field(default_factory=Slots)
    look_again: asyncio.TimerHandle | None = None
    number: int = 0

    @property
    def waiting_count(self) -> int:
        """How many calls wait."""
        return sum(map(len, self.waiting.values()))

    @property
    def has_place(self) -> bool:
        """Whether one more call would have a place."""
        return self.places is None or self.under_way.total() < self.places

    @property
    def shares_servers(self) -> bool:
        """Whether several calls share a server's processor."""
        return self.places is not None and self.places > self.servers

    def find_presence(self, now: float) -> Presence:
        """Returns who is about."""
        return Presence(self.callers, self.under_way, self.waiting, now)

    def takes_others_place(self, caller: str, presence: Presence) -> bool:
        """Returns whether one more call would take a place that is left to others.

        Who gives way gets a place where nobody computes: one for each server that the others leave idle.
        """
        if self.places is None or self.places == 1:
            return False
        had, total = self.under_way[caller], self.under_way.total()
        if not self.shares_servers:
            return had >= self.places - 1 and presence.has_others(caller)
        if had >= (self.places + 1) // 2:
            return presence.has_others(caller)
        return total >= self.servers and caller in presence.giving_way

    def see(self, name: str, now: float) -> None:
        """Notes that a caller has a new call; forgets who has left when there are too many to remember."""
        caller = self.callers.get(name)
        if caller is None:
            self.callers[name] = Caller(seen=now, counted=now)
        else:
            caller.come(now, is_busy=name in self.under_way or name in self.waiting)
        if len(self.callers) > CALLERS_REMEMBERED:
            about = self.find_presence(now).about
            self.callers = {other: caller for other, caller in self.callers.items() if other in about}

    def rank(self, caller: str, presence: Presence) -> tuple[bool, int, int]:
        """Returns what decides whose turn is next: the lowest."""
        return caller in presence.giving_way, self.under_way[caller], self.callers[caller].turn

    def has_had_its_share(self, caller: str) -> bool:
        """Returns whether a caller, which has a place, had as much read beside another's long prompt."""
        beside = [call.prompt.tokens for call in self.long_prompts.values() if call.caller != caller]
        return (
            bool(beside)
            and self.under_way[caller] >= self.servers
            and self.read_beside[caller] >= max(beside)
        )

    def next_waiting(self, caller: str, presence: Presence) -> Waiting | None:
        """Returns the caller's oldest call that may have a place now."""
        if self.takes_others_place(caller, presence) or self.has_had_its_share(caller):
            return None
        only_short = len(self.long_prompts) >= self.servers and presence.has_others(caller)
        return next(
            (
                waiting
                for waiting in self.waiting[caller]
                if not waiting.turn.cancelled() and not (only_short and waiting.prompt.is_long)
            ),
            None,
        )

    def note_turn(self, waiting: Waiting, presence: Presence, now: float) -> int | None:
        """Notes that a call gets its place.

        Args:
            waiting: The call.
            presence: Who is about.
            now: The time, in seconds.

        Returns:
            The slot to take in the server; None if the server chooses.
        """
        caller, prompt = waiting.caller, waiting.prompt
        self.turns += 1
        slot = self._choose_slot(waiting, presence)
        self.callers[caller].turn = self.turns
        self.callers[caller].count(self.under_way[caller], now)
        self.under_way[caller] += 1
        if prompt.is_long:
            self.long_prompts[waiting.call] = waiting
            self.read_beside.clear()
        elif self.long_prompts:
            self.read_beside[caller] += prompt.tokens
        self.slots.take(waiting.call, caller, prompt, slot)
        return slot

    def note_end(self, call: Call, caller: str, now: float) -> None:
        """Notes that a call gives its place back.

        Args:
            call: The call.
            caller: Who called.
            now: The time, in seconds.
        """
        self.callers[caller].seen = now
        self.callers[caller].count(self.under_way[caller], now)
        self.long_prompts.pop(call, None)
        self.slots.free(call)
        self.under_way[caller] -= 1
        if not self.under_way[caller]:
            del self.under_way[caller]

    def _choose_slot(self, waiting: Waiting, presence: Presence) -> int | None:
        """Returns the slot that a call is to take; None if the server chooses.

        llama.cpp reads prompts in the order of its slots, a batch at a time: what is read in the last slot
        holds up nobody. So beside other callers, a long prompt goes there, even if it has to wait for it, and
        so does a call of who gives way. A call for a slot that the server does not have would wait for good.
        """
        caller, prompt = waiting.caller, waiting.prompt
        count = min(waiting.slots, (self.places or 0) // self.servers)
        if count <= 1 or not prompt.takes_slot:
            return None
        if prompt.is_long and presence.has_others(caller):
            return count - 1
        if self.servers > 1 or not prompt.text:
            return None
        if caller in presence.giving_way:
            return count - 1
        share = count // min(count, len(presence.about))
        return self.slots.choose(caller, prompt.text, count=count, share=share)

    def leave(self, waiting: Waiting) -> None:
        """Takes a call out of the line, if it is still in it."""
        queue = self.waiting.get(waiting.caller, deque())
        if waiting in queue:
            queue.remove(waiting)
            if not queue:
                del self.waiting[waiting.caller]
