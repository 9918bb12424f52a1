"""When a start is said to be over: slow entries are waited for, but not for long."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.machine.clock import Clock
from centralized_ml_api.local.run.first_start import SLOW_SECONDS, FirstStart
from centralized_ml_api.local.status import EntryState, EntryStatus, LocalStatus
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


def status(*states: EntryState, overdue: bool = False) -> LocalStatus:
    entries = tuple(
        EntryStatus(f"m{number}", f"/m{number}", state, "", "python", "sync", ())
        for number, state in enumerate(states)
    )
    return LocalStatus(1, "c", "s", 0.0, "http://127.0.0.1:1", "", "", entries, (), overdue=overdue)


class World:
    """A first start with a clock that stands until `pass_time`."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.shown = 0
        self.time_passes = asyncio.Event()
        self.start = FirstStart(self.show, Clock(lambda: datetime.now(UTC), self.sleep))

    def show(self) -> None:
        self.shown += 1

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await self.time_passes.wait()


def play(scenario: Callable[[World], Awaitable[None]]) -> None:
    async def main() -> None:
        world = World()
        running = asyncio.create_task(world.start.run())
        await scenario(world)
        running.cancel()
        await asyncio.wait({running})

    asyncio.run(main())


def test_the_slow_are_overdue_some_time_after_the_first_is_ready() -> None:
    async def scenario(world: World) -> None:
        world.start.note(status("starting", "preparing"))
        world.start.note(status("ready", "preparing"))
        await until(lambda: world.slept == [SLOW_SECONDS], "it waits for the slow")
        assert not world.start.overdue
        world.time_passes.set()
        await until(lambda: world.shown == 1, "the status is shown anew")
        assert world.start.overdue

    play(scenario)


def test_while_none_is_ready_no_time_runs() -> None:
    async def scenario(world: World) -> None:
        world.time_passes.set()
        world.start.note(status("starting", "failed"))
        for _ in range(10):
            await asyncio.sleep(0)
        assert (world.slept, world.start.overdue) == ([], False)

    play(scenario)


def test_when_all_failed_nothing_serves() -> None:
    async def main() -> None:
        world = World()
        world.start.note(status("failed", "not served"))
        with pytest.raises(StartError, match="no model could start"):
            await world.start.run()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("engine", "integration", "named"),
    [
        ("python", "api", True),
        ("provider", "api", False),
        ("url", "stream", False),
        ("sagemaker", "lambda", True),
    ],
)
def test_the_log_is_named_of_what_has_one(engine: str, integration: str, *, named: bool) -> None:
    async def scenario(world: World) -> None:
        entry = EntryStatus("m", "/m", "unready", "", engine, integration, ())
        world.start.note(replace(status(), entries=(entry,)))
        with pytest.raises(StartError) as failed:
            await world.start.run()
        assert ("mlapi logs m" in failed.value.fix) is named
        assert failed.value.fix.startswith("the reasons are above")

    play(scenario)


def test_what_fails_after_the_first_start_ends_nothing() -> None:
    async def main() -> None:
        world = World()
        running = asyncio.create_task(world.start.run())
        world.start.note(status("ready", "failed"))
        world.start.note(status("failed", "failed"))
        for _ in range(10):
            await asyncio.sleep(0)
        assert not running.done()
        running.cancel()
        await asyncio.wait({running})

    asyncio.run(main())


@pytest.mark.parametrize(
    ("now", "announced", "still_starting"),
    [
        (status("ready", "preparing"), False, ("m1",)),
        (status("ready", "preparing", overdue=True), True, ("m1",)),
        (status("starting", "preparing", overdue=True), False, ("m0", "m1")),
        (status("ready", "failed"), True, ()),
        (status("failed", "failed"), False, ()),
    ],
)
def test_what_is_announced(now: LocalStatus, *, announced: bool, still_starting: tuple[str, ...]) -> None:
    assert (now.announced, now.still_starting) == (announced, still_starting)
    assert LocalStatus.from_json(now.to_json()) == now


def test_programs_of_this_machine_are_answered_once_something_serves() -> None:
    async def scenario(world: World) -> None:
        waiting = asyncio.create_task(world.start.until_serving(3))
        await until(lambda: 3 in world.slept, "the clock is waited for, too")
        world.start.note(status("starting"))
        assert not waiting.done()
        world.start.note(status("ready", "starting"))
        await waiting

    play(scenario)


def test_who_waits_for_the_announcement_hears_of_it_when_every_start_is_over() -> None:
    async def scenario(world: World) -> None:
        waiting = asyncio.create_task(world.start.until_announced(3))
        await until(lambda: 3 in world.slept, "the clock is waited for, too")
        world.start.note(status("ready", "starting"))
        for _ in range(10):
            await asyncio.sleep(0)
        assert not waiting.done()
        world.start.note(status("ready", "failed"))
        await waiting
        await world.start.until_announced(3)

    play(scenario)


def test_while_a_restart_takes_the_announcement_back_it_is_waited_for_anew() -> None:
    async def scenario(world: World) -> None:
        world.start.note(status("ready"))
        world.start.note(status("restarting"))
        waiting = asyncio.create_task(world.start.until_announced(3))
        await until(lambda: 3 in world.slept, "the clock is waited for, too")
        assert not waiting.done()
        world.time_passes.set()
        await waiting

    play(scenario)


def test_programs_of_this_machine_are_not_kept_waiting_by_a_slow_start() -> None:
    async def scenario(world: World) -> None:
        waiting = asyncio.create_task(world.start.until_serving(3))
        await until(lambda: 3 in world.slept, "the clock is waited for")
        world.time_passes.set()
        await waiting

    play(scenario)
