"""Models go to sleep among fakes: what is stopped and when, and who makes room for whom."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.run.sleeping import LOOK_SECONDS
from centralized_ml_api.local.sleep.schedule import LINGER_SECONDS
from centralized_ml_api.plan.types import SleepPlan
from support.fake_target import function, plan
from support.sleeping import GPU, serving, settle, sleeper, story

if TYPE_CHECKING:
    from pathlib import Path


def test_an_idle_entry_closes_then_stops_and_leaves_its_upstream_empty(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"))) as world:
            await world.call("a", waiting=1)
            await world.become("a", "ready")
            await world.call("a", under_way=1, taken=1)
            await asyncio.sleep(500)
            assert world.states() == {"a": "ready"}
            await world.call("a", taken=1)
            await asyncio.sleep(59)
            assert world.states() == {"a": "ready"}
            world.link.obeys.clear()
            await asyncio.sleep(1)
            await settle()
            assert (world.link.states, world.running()) == ({"a": "asleep"}, ["a"]), "it may still be called"
            world.link.obeys.set()
            await settle()
            assert (world.states(), world.running()) == ({"a": "asleep"}, [])
            await world.call("a", waiting=1, taken=1)
            assert world.running() == ["a"]
            assert len(world.made) == 2

    story(tell)


@pytest.mark.parametrize("calls", [1, None])
def test_an_entry_with_a_call_that_only_the_gateway_knows_is_not_stopped(
    tmp_path: Path, calls: int | None
) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a", SleepPlan(idle_seconds=60)))) as world:
            await world.become("a", "ready")
            world.gateway.busy["a@1"] = calls
            await asyncio.sleep(600)
            assert world.running() == ["a"]
            world.gateway.busy.clear()
            await asyncio.sleep(2 * LOOK_SECONDS)
            assert world.running() == []

    story(tell)


def test_nothing_sleeps_while_the_admission_service_is_away(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a", SleepPlan(idle_seconds=60)))) as world:
            await world.become("a", "ready")
            world.link.reachable = False
            world.link.changed()
            await asyncio.sleep(600)
            assert world.running() == ["a"]
            world.link.reachable = True
            world.link.changed()
            await settle()
            assert world.running() == []

    story(tell)


def test_of_a_group_one_runs_and_the_called_one_takes_its_place(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a", GPU), sleeper("b", GPU), sleeper("c", GPU))) as world:
            assert world.running() == ["a"]
            await world.become("a", "ready")
            await asyncio.sleep(LINGER_SECONDS)
            world.last("a").may_end.clear()
            await world.call("b", waiting=1)
            assert (world.running(), world.states()["b"]) == (["a"], "asleep"), "a has not ended yet"
            world.last("a").may_end.set()
            await settle()
            assert (world.running(), world.states()) == (
                ["b"],
                {"a": "asleep", "b": "waking", "c": "asleep"},
            )

    story(tell)


def test_an_entry_with_a_function_sleeps_and_wakes_as_a_whole(tmp_path: Path) -> None:
    async def tell() -> None:
        wrapped = sleeper("a", function=function(tmp_path), integration="lambda")
        async with serving(tmp_path, plan(wrapped)) as world:
            assert world.running() == []
            await world.call("a", waiting=1)
            assert sorted(world.running()) == ["a", "a.function"]
            await world.become("a", "ready")
            assert world.link.states == {"a": "waking"}
            await world.become("a.function", "ready")
            assert world.link.states == {"a": "ready"}

    story(tell)


def test_stopping_while_one_wakes_and_one_goes_to_sleep_leaves_nothing(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"), sleeper("b", SleepPlan(idle_seconds=60)))) as world:
            await world.become("b", "ready")
            world.last("b").may_end.clear()
            await asyncio.sleep(60)
            await world.call("a", waiting=1)
            assert world.states() == {"a": "waking", "b": "asleep"}
            asyncio.get_running_loop().call_later(1, world.last("b").may_end.set)

    story(tell)


def test_one_that_closes_again_waits_for_its_own_confirmation(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"))) as world:
            await world.call("a", waiting=1)
            await world.become("a", "ready")
            await world.call("a", taken=1)
            world.gateway.busy["a@1"] = 1
            assert world.supervisor.sleeping.sleep("a")
            await settle()  # confirmed, but the gateway has a call under way
            await world.call("a", waiting=1, taken=1)
            assert world.states() == {"a": "ready"}, "it is called while it closes, and goes on"
            world.link.obeys.clear()
            await world.call("a", taken=2)
            assert world.supervisor.sleeping.sleep("a")
            await settle()
            world.gateway.busy.clear()
            await asyncio.sleep(3 * LOOK_SECONDS)
            await settle()
            assert world.running() == ["a"], "the service has not said that calls wait again"
            world.link.obeys.set()
            await settle()
            assert world.running() == []

    story(tell)


def test_a_call_too_short_to_be_seen_counts_as_a_use(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a", SleepPlan(idle_seconds=60)))) as world:
            await world.become("a", "ready")
            await asyncio.sleep(50)
            await world.supervisor.admit("a", 60)
            await asyncio.sleep(59)
            assert world.running() == ["a"]
            await asyncio.sleep(2)
            assert world.running() == []

    story(tell)


def test_many_calls_leave_no_timers_behind(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a", SleepPlan(idle_seconds=600)))) as world:
            await world.become("a", "ready")
            before = len(asyncio.all_tasks())
            for number in range(20):
                await world.call("a", taken=number)
            assert len(asyncio.all_tasks()) == before

    story(tell)


def test_a_call_that_waited_and_is_over_keeps_nobody_awake(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"))) as world:
            call = asyncio.create_task(world.supervisor.admit("a", 60))
            await settle()
            await world.become("a", "ready")
            await call
            await asyncio.sleep(61)
            assert world.running() == []

    story(tell)


def test_nobody_is_admitted_while_an_entry_makes_room_for_another(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a", GPU), sleeper("b", GPU))) as world:
            await world.become("a", "ready")
            await asyncio.sleep(LINGER_SECONDS)
            world.link.obeys.clear()
            await world.call("b", waiting=1)
            await asyncio.sleep(0.1)
            call = asyncio.create_task(world.supervisor.admit("a", 600))
            await settle()
            assert (world.link.states["a"], world.running(), call.done()) == ("asleep", ["a"], False)
            world.link.obeys.set()
            await settle()
            assert world.running() == ["b"]
            call.cancel()

    story(tell)


def test_stopping_while_one_closes_leaves_nothing(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"))) as world:
            await world.call("a", waiting=1)
            await world.become("a", "ready")
            await world.call("a", taken=1)
            world.link.obeys.clear()
            assert world.supervisor.sleeping.sleep("a")
            await settle()
            assert world.running() == ["a"]

    story(tell)


def test_an_entry_stops_within_half_a_second_after_its_last_call(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a", SleepPlan(idle_seconds=60)))) as world:
            await world.become("a", "ready")
            world.gateway.busy["a@1"] = 1
            await asyncio.sleep(70)
            world.gateway.busy.clear()
            await asyncio.sleep(0.5)
            await settle()
            assert world.running() == []

    story(tell)
