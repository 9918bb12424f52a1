"""The event starts by the wall clock, whatever happens to the clock; nobody waits for it here."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from centralized_ml_api.local.machine.clock import Clock
from centralized_ml_api.local.run.starting import watch_start
from centralized_ml_api.plan.event import EventPlan

NINE = datetime(2030, 6, 1, 9, tzinfo=UTC)


@dataclass
class World:
    """A gateway that is told at once, and a clock that waits for nobody."""

    starts: datetime | None = NINE
    now: datetime = NINE - timedelta(seconds=3)
    told: datetime | None = NINE
    tellings: list[tuple[datetime, datetime | None]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    later: dict[int, Callable[[World], None]] = field(default_factory=dict)
    looks: int = 0

    def event(self) -> EventPlan:
        return EventPlan(starts=self.starts)

    def tell(self) -> None:
        self.told = self.event().coming_start(self.now)
        self.tellings.append((self.now, self.told))

    async def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.looks += 1
        if self.looks in self.later:
            self.later[self.looks](self)
        if self.looks > 8:
            raise asyncio.CancelledError

    def run(self) -> World:
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(
                watch_start(
                    self.event,
                    lambda: self.told,
                    tell=self.tell,
                    say=self.said.append,
                    clock=Clock(lambda: self.now, self.sleep),
                )
            )
        return self


def test_keys_work_from_the_second_of_the_start_on() -> None:
    world = World().run()
    assert world.tellings == [(NINE, None)]
    assert world.said == ["The event has started: keys work since 2030-06-01T09:00:00Z."]


def test_a_start_that_passed_while_the_api_began_to_serve_is_told_all_the_same() -> None:
    world = World(now=NINE).run()
    assert world.tellings == [(NINE + timedelta(seconds=1), None)]
    assert world.said == [], "it was before"


def test_a_clock_that_is_set_back_closes_again() -> None:
    def set_back(world: World) -> None:
        world.now = NINE - timedelta(seconds=2)

    world = World(later={5: set_back}).run()
    assert [told for _, told in world.tellings] == [None, NINE, None]


def test_a_start_that_is_taken_out_is_no_start_of_the_event() -> None:
    def take_out(world: World) -> None:
        world.starts = None

    world = World(later={1: take_out}).run()
    assert [told for _, told in world.tellings] == [None]
    assert world.said == []


def test_an_event_without_a_start_is_left_alone() -> None:
    world = World(starts=None, told=None).run()
    assert (world.tellings, world.said) == ([], [])
