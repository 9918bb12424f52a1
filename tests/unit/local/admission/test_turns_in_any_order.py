"""Turns at a model in any order of calls, ends, callers who hang up, and pauses."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from centralized_ml_api.local.admission.callers import GIVES_WAY_SECONDS
from centralized_ml_api.local.admission.turns import Occupancy, Turns
from support.turns import LONG, SHORT, settle
from support.virtual_time import VirtualTimeLoop

if TYPE_CHECKING:
    from centralized_ml_api.local.admission.prompts import Prompt


class EveryOrder(RuleBasedStateMachine):
    """Calls that come, end and hang up in any order: never too many, never a place that nobody may have.

    Time passes in whole seconds: so whether a place may be given out now has just been looked at.
    """

    def __init__(self) -> None:
        super().__init__()
        self.loop = VirtualTimeLoop()
        self.turns = Turns(self.loop.time)
        self.tasks: dict[int, asyncio.Task[int | None]] = {}
        self.callers: dict[int, str] = {}
        self.came: dict[int, float] = {}
        self.was_served: dict[str, float] = {}
        self.long: set[int] = set()
        self.long_under_way: set[int] = set()
        self.count = 0

    @initialize(places=st.integers(1, 4), at_once=st.none() | st.integers(1, 3))
    def decide(self, places: int, at_once: int | None) -> None:
        self.places, self.at_once = places, at_once

    def run(self) -> None:
        self.loop.run_until_complete(settle())

    @rule(seconds=st.integers(1, 30))
    def pass_time(self, seconds: int) -> None:
        self.loop.run_until_complete(asyncio.sleep(seconds))
        self.run()

    @rule(caller=st.sampled_from("abc"), prompt=st.sampled_from([SHORT, LONG]))
    def come(self, caller: str, prompt: Prompt) -> None:
        self.count += 1
        taking = self.turns.take(
            self.count, "chat", caller, places=self.places, at_once=self.at_once, prompt=prompt
        )
        if prompt.is_long:
            self.long.add(self.count)
        self.tasks[self.count] = self.loop.create_task(taking)
        self.callers[self.count], self.came[self.count] = caller, self.loop.time()
        self.run()

    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        if under_way := self.under_way():
            call = data.draw(st.sampled_from(under_way))
            self.was_served[self.callers[call]] = self.loop.time()
            assert self.loop.run_until_complete(self.give_back(call))
            del self.tasks[call]
            self.run()

    async def give_back(self, call: int) -> bool:
        """In the loop, as the server does: it may set a timer."""
        return self.turns.give_back(call)

    @rule(data=st.data())
    def hang_up(self, data: st.DataObject) -> None:
        if waiting := self.waiting():
            call = data.draw(st.sampled_from(waiting))
            self.tasks.pop(call).cancel()
            self.run()

    def under_way(self) -> list[int]:
        return [call for call, task in self.tasks.items() if task.done()]

    def waiting(self) -> list[int]:
        return [call for call, task in self.tasks.items() if not task.done()]

    @invariant()
    def all_is_right(self) -> None:
        if not hasattr(self, "places"):
            return
        under_way, waiting = self.under_way(), self.waiting()
        assert len(under_way) <= self.places
        held = [self.callers[call] for call in under_way]
        for caller in "abc":
            assert self.at_once is None or held.count(caller) <= self.at_once
        assert self.turns.occupancy().get("chat", Occupancy(0, 0)) == Occupancy(len(under_way), len(waiting))
        slots = [self.tasks[call].result() for call in under_way if call not in self.long]
        assert len(set(slots)) == len(slots) or self.places == 1, "each short call has a slot of its own"
        long_under_way = self.long.intersection(under_way)
        if any(self.has_others(call) for call in long_under_way - self.long_under_way):
            assert len(long_under_way) == 1, "beside others, a long prompt is read alone"
        self.long_under_way = long_under_way
        if len(under_way) < self.places:
            assert not [call for call in waiting if self.may_go_on(call, held, len(under_way))], (
                "a place is idle, and somebody waits who may have it"
            )

    def has_others(self, call: int) -> bool:
        """Returns whether somebody else is about, who called before and may call again."""
        line = self.turns._lines["chat"]  # noqa: SLF001  # nothing else tells who is about
        return line.find_presence(self.loop.time()).has_others(self.callers[call])

    def may_go_on(self, call: int, held: list[str], total: int) -> bool:
        """Returns whether a call that waits ought to have the place that is idle."""
        caller, now = self.callers[call], self.loop.time()
        had = held.count(caller)
        if (self.at_once is not None and had >= self.at_once) or (call in self.long and self.long_under_way):
            return False
        presence = self.turns._lines["chat"].find_presence(now)  # noqa: SLF001  # who else is about
        if not presence.has_others(caller):
            return True
        since = max(self.came[call], self.was_served.get(caller, 0.0))
        gives_way = caller in presence.giving_way and total > 0
        assert not gives_way or had or now - since <= GIVES_WAY_SECONDS, "it gives way for too long"
        return not gives_way and had < (self.places + 1) // 2

    def teardown(self) -> None:
        for task in self.tasks.values():
            task.cancel()
        self.run()
        self.loop.close()


EveryOrder.TestCase.settings = settings(
    max_examples=30, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestEveryOrder = EveryOrder.TestCase
