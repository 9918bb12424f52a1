"""Models sleep outside the hours of an event, by the wall clock."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.machine.clock import WALL_CLOCK
from centralized_ml_api.local.run.acts import Acts
from centralized_ml_api.local.run.entry_statuses import OUTSIDE_HOURS
from centralized_ml_api.local.run.sleep_hours import HOURS_LOOK_SECONDS, WARM_UP
from centralized_ml_api.local.sleep.types import NotAwakeError
from centralized_ml_api.local.sleep.wake_times import WAKE_TIMES_FILE, WakeTimes
from centralized_ml_api.plan.event import EventPlan
from centralized_ml_api.plan.hours import Window
from centralized_ml_api.plan.types import SleepPlan
from support.fake_target import NOON, plan
from support.sleeping import serving, settle, sleeper, story

if TYPE_CHECKING:
    from pathlib import Path


def test_it_keeps_the_hours_of_the_event_by_the_wall_clock(tmp_path: Path) -> None:
    async def tell() -> None:
        hours = tuple(
            Window(NOON + timedelta(hours=begins), NOON + timedelta(hours=ends))
            for begins, ends in [(-1, 1), (2, 3)]
        )
        naps = sleeper("a", SleepPlan(on_call=True))
        served = plan(naps, event=EventPlan(hours=hours))
        async with serving(tmp_path, served) as world:
            assert world.running() == [], "nobody calls"
            await world.call("a", waiting=1)
            await world.become("a", "ready")
            await world.call("a", taken=1)
            await asyncio.sleep(3599)
            assert world.states() == {"a": "ready"}
            await asyncio.sleep(HOURS_LOOK_SECONDS)
            await settle()
            (status,) = world.supervisor.entries()
            assert (status.state, status.detail, world.running()) == ("asleep", OUTSIDE_HOURS, [])
            assert world.link.states == {"a": "closed"}
            await world.call("a", waiting=1, taken=1)
            assert world.running() == []
            with pytest.raises(NotAwakeError):
                await world.supervisor.admit("a", 60)
            acts = Acts(world.supervisor, world.reloader, tmp_path, WALL_CLOCK)
            for act in ("wake", "restart"):
                refused = await acts.do(act, {"name": "a"}, "command line")
                assert refused["error"] == "a sleeps outside the hours of the event"
            await world.call("a", taken=1)
            world.begins = "ready"
            await asyncio.sleep((timedelta(hours=1) - WARM_UP).total_seconds())
            await settle()
            assert (world.states(), world.running()) == ({"a": "ready"}, ["a"]), "it woke before they begin"
            await asyncio.sleep(2 * 3600)
            assert world.link.told[-1] == {"a": {"state": "closed", "ready_in": None}}
            await world.supervisor.change_to(plan(naps))
            await settle()
            assert world.states() == {"a": "ready"}, "without hours it may be awake"

    story(tell)


@pytest.mark.parametrize("known", [True, False])
def test_one_that_slept_all_along_is_told_that_the_hours_are_over(tmp_path: Path, *, known: bool) -> None:
    if known:
        WakeTimes(tmp_path / WAKE_TIMES_FILE).note("a", "command: echo", 7)

    async def tell() -> None:
        begins, ends = NOON - timedelta(hours=1), NOON + timedelta(hours=1)
        served = plan(sleeper("a", SleepPlan(on_call=True)), event=EventPlan(hours=(Window(begins, ends),)))
        async with serving(tmp_path, served) as world:
            assert world.link.states == {"a": "asleep"}
            await asyncio.sleep(3600 + HOURS_LOOK_SECONDS)
            await settle()
            assert world.link.told[-1] == {"a": {"state": "closed", "ready_in": None}}

    story(tell)
