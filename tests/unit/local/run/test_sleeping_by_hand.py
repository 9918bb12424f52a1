"""Models that sleep are woken by hand, by functions and by SageMaker's API, past the gateway."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.local.machine.clock import WALL_CLOCK
from centralized_ml_api.local.run.acts import Acts
from centralized_ml_api.local.sleep.types import Calls, NotAwakeError
from support.fake_target import entry, plan
from support.sleeping import WAITS, serving, settle, sleeper, story

if TYPE_CHECKING:
    from pathlib import Path


def test_it_is_woken_and_put_to_sleep_by_hand(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"))) as world:
            sleeping = world.supervisor.sleeping
            assert "a" in sleeping
            assert "b" not in sleeping
            sleeping.wake("a")
            await settle()
            assert world.running() == ["a"]
            await world.become("a", "ready")
            await world.call("a", under_way=1, taken=1)
            assert sleeping.sleep("a")
            await settle()
            assert (world.link.states, world.running()) == ({"a": "asleep"}, ["a"])
            await world.call("a", taken=1)
            assert world.running() == []
            await world.call("a", waiting=1, taken=1)
            assert not sleeping.sleep("a"), "a call waits for it"
            await world.become("a", "ready")
            await world.call("a", taken=2)
            world.link.counts["a"] = Calls(waiting=1, taken=2)
            assert not sleeping.sleep("a"), "a call has come at this very moment"
            assert sleeping.view("b") is None

    story(tell)


@pytest.mark.parametrize(
    ("now", "told"),
    [
        pytest.param(Calls(taken=1), {}, id="answered"),
        pytest.param(Calls(waiting=1), WAITS, id="waiting"),
        pytest.param(None, WAITS, id="nobody says"),
    ],
)
def test_whether_calls_wait_is_asked_before_it_is_put_to_sleep_by_hand(
    tmp_path: Path, now: Calls | None, told: dict[str, Any]
) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"))) as world:
            acts = Acts(world.supervisor, world.reloader, tmp_path, WALL_CLOCK)
            await world.call("a", waiting=1)
            await world.become("a", "ready")
            world.link.obeys.clear()
            asked = asyncio.create_task(acts.do("sleep", {"name": "a"}, "command line"))
            await settle()
            assert not asked.done(), "the last report may be older than an answer"
            if now is not None:
                world.link.counts["a"] = now
                world.link.obeys.set()
            assert await asked == told
            world.link.obeys.set()
            await settle()
            assert world.states() == {"a": "ready" if told else "asleep"}

    story(tell)


def test_calls_that_do_not_pass_the_gateway_wait_here(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"), entry("b"))) as world:
            await world.supervisor.admit("b", 60)
            calls = [asyncio.create_task(world.supervisor.admit("a", 60)) for _ in range(2)]
            await settle()
            assert world.running() == ["a", "b"]
            await world.become("a", "ready")
            await asyncio.gather(*calls)
            found = world.supervisor.find("a")
            assert found is not None
            with found.calls:
                await asyncio.sleep(600)
                assert "a" in world.running(), "it is called"
            await asyncio.sleep(61)
            assert "a" not in world.running()

    story(tell)


def test_a_function_whose_call_is_under_way_reaches_its_model_while_the_entry_closes(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"))) as world:
            await world.call("a", waiting=1)
            await world.become("a", "ready")
            await world.call("a", under_way=1, taken=1)
            assert world.supervisor.sleeping.sleep("a")
            await settle()
            assert world.link.states == {"a": "asleep"}
            await asyncio.wait_for(world.supervisor.admit("a", 60), 1)
            found = world.supervisor.find("a")
            assert found is not None
            with found.calls:
                await world.call("a", taken=1)
                assert world.running() == ["a"]
            await settle()
            assert world.running() == []

    story(tell)


def test_calls_that_do_not_pass_the_gateway_are_told_when_it_does_not_wake(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"))) as world:
            began = asyncio.get_running_loop().time()
            with pytest.raises(NotAwakeError):
                await world.supervisor.admit("a", 60)
            assert asyncio.get_running_loop().time() == began + 60
            call = asyncio.create_task(world.supervisor.admit("a", 60))
            await world.become("a", "failed", "no memory")
            with pytest.raises(NotAwakeError):
                await call

    story(tell)


def test_a_call_that_does_not_pass_the_gateway_wakes_what_failed_once_its_pause_is_over(
    tmp_path: Path,
) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"))) as world:
            call = asyncio.create_task(world.supervisor.admit("a", 60))
            await settle()
            await world.become("a", "failed", "no memory")
            with pytest.raises(NotAwakeError):
                await call
            with pytest.raises(NotAwakeError):
                await world.supervisor.admit("a", 60)
            await asyncio.sleep(5)
            assert world.running() == [], "its pause is not over"
            await asyncio.sleep(5)
            with pytest.raises(NotAwakeError):
                await world.supervisor.admit("a", 60)
            await settle()
            assert world.running() == ["a"]
            await world.become("a", "ready")
            await asyncio.wait_for(world.supervisor.admit("a", 60), 1)

    story(tell)
