"""Models wake among fakes: what is started, when their calls go on, and how long that takes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.gateway import Gateway, Upstream
from centralized_ml_api.local.run.sleeping import LAUNCH_SECONDS
from centralized_ml_api.local.sleep.wake_times import WAKE_TIMES_FILE, WakeTimes
from support.fake_target import entry, function, plan
from support.sleeping import serving, settle, sleeper, story

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_an_entry_starts_with_its_first_call_and_calls_go_on_once_the_gateway_knows(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"), entry("b"))) as world:
            assert world.running() == ["b"]
            assert (world.states()["a"], world.link.states) == ("asleep", {"a": "asleep"})
            await world.call("a", waiting=1)
            assert (world.running(), world.states()["a"]) == (["a", "b"], "waking")
            await world.call("a", waiting=5)
            assert world.running() == ["a", "b"], "one wake, however many call"
            told = len(world.gateway.applied)
            world.last("a").ports = (7001,)
            await world.become("a", "ready")
            assert (world.states()["a"], world.link.states) == ("ready", {"a": "ready"})
            assert len(world.gateway.applied) > told
            assert Upstream("a@1", (7001,)) in world.gateway.applied[told].upstreams

    story(tell)


def test_calls_go_on_as_soon_as_they_reach_the_server_before_documents_say_so(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"))) as world:
            await world.call("a", waiting=1)
            world.gateway.can_move = False
            world.gateway.takes_routes.clear()
            await world.become("a", "ready")
            assert world.link.states == {"a": "ready"}
            world.gateway.takes_routes.set()
            await settle()
            assert (world.states()["a"], world.link.states) == ("ready", {"a": "ready"})

    story(tell)


def test_calls_go_on_as_soon_as_the_gateway_has_the_ports_before_anything_else_is_composed(
    tmp_path: Path,
) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"), entry("b"))) as world:
            await world.call("a", waiting=1)
            assert world.gateway.moved == [], "no other change is told apart"
            apply, known = world.gateway.apply, []

            async def apply_later(gateway: Gateway, reached: Callable[[], None] = lambda: None) -> None:
                known.append(world.link.states)
                await apply(gateway, reached)

            world.gateway.apply = apply_later  # type: ignore[method-assign]
            world.gateway.takes.clear()
            world.last("a").ports = (7001,)
            await world.become("a", "ready")
            assert known[0] == {"a": "ready"}, "the admission service does not wait for what takes longer"
            assert world.gateway.moved == [[Upstream("a@1", (7001,))]]
            assert world.link.states == {"a": "ready"}
            assert "a" in dict(world.gateway.applied[-1].asleep)
            world.gateway.takes.set()
            await settle()
            assert (world.states()["a"], [*world.gateway.applied[-1].asleep]) == ("ready", [])
            assert len(world.gateway.moved) == 1

    story(tell)


def test_calls_wait_for_the_whole_change_where_the_ports_alone_cannot_be_told(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"))) as world:
            await world.call("a", waiting=1)
            world.gateway.can_move = False
            world.gateway.takes.clear()
            await world.become("a", "ready")
            assert world.link.states == {"a": "waking"}
            world.gateway.takes.set()
            await settle()
            assert world.link.states == {"a": "ready"}

    story(tell)


def test_a_function_and_its_model_reach_the_gateway_together(tmp_path: Path) -> None:
    async def tell() -> None:
        wrapped = sleeper("a", function=function(tmp_path), integration="lambda")
        async with serving(tmp_path, plan(wrapped)) as world:
            await world.call("a", waiting=1)
            await world.become("a", "ready")
            assert (world.gateway.moved, world.link.states) == ([], {"a": "waking"})
            await world.become("a.function", "ready")
            (moved,) = world.gateway.moved
            assert [upstream.name for upstream in moved] == ["a.function@2", "a@1"]
            assert world.link.states == {"a": "ready"}

    story(tell)


def test_nobody_is_told_of_a_wake_before_its_process_has_started_or_that_takes_long(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"), sleeper("b"), sleeper("c"))) as world:
            for service in world.made:
                service.state = "preparing"
            told = len(world.gateway.applied)
            await world.call("a", waiting=1)
            assert (world.states()["a"], len(world.gateway.applied)) == ("waking", told)
            await world.become("a", "starting")
            assert world.gateway.applied[told:][0].asleep[0] == ("a", "waking")
            told = len(world.gateway.applied)
            await world.call("b", waiting=1)
            await world.become("b", "preparing", "downloading weights")
            assert world.gateway.applied[told:][0].asleep[1] == ("b", "waking")
            told = len(world.gateway.applied)
            await world.call("c", waiting=1)
            assert len(world.gateway.applied) == told
            await asyncio.sleep(LAUNCH_SECONDS)
            await settle()
            assert world.gateway.applied[told:][0].asleep[2] == ("c", "waking")

    story(tell)


def test_what_the_gateway_was_told_before_a_sleep_says_nothing_of_the_wake_after_it(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"))) as world:
            await world.call("a", waiting=1)
            await world.become("a", "ready")
            await world.call("a", taken=1)
            apply, may_end = world.gateway.apply, asyncio.Event()

            async def apply_slowly(gateway: Gateway, reached: Callable[[], None] = lambda: None) -> None:
                await may_end.wait()
                await apply(gateway, reached)

            world.gateway.apply = apply_slowly  # type: ignore[method-assign]
            world.supervisor.note_change()
            await settle()  # the gateway is being told that it is ready
            assert world.supervisor.sleeping.sleep("a")
            await settle()
            await world.call("a", waiting=1, taken=1)
            assert len(world.made) == 2
            may_end.set()
            await settle()
            assert world.link.states == {"a": "waking"}
            await world.become("a", "ready")
            assert world.link.states == {"a": "ready"}

    story(tell)


def test_wakes_are_measured_and_told_without_downloads(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"), sleeper("b"))) as world:
            await world.call("a", waiting=1)
            await world.call("b", waiting=1)
            await asyncio.sleep(1)
            await world.become("b", "preparing", "downloading weights: 3%")
            await asyncio.sleep(2)
            await world.become("a", "ready")
            await world.become("b", "ready")
            for name in ("a", "b"):
                await world.call(name, taken=1)
            await asyncio.sleep(60)
            await settle()
            assert world.link.told[-1] == {
                "a": {"state": "asleep", "ready_in": pytest.approx(3)},
                "b": {"state": "asleep", "ready_in": None},
            }
        assert WakeTimes(tmp_path / WAKE_TIMES_FILE).expect("a", "command: echo") == pytest.approx(3)

    story(tell)


def test_what_does_not_wake_is_stopped_left_alone_and_tried_again(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"))) as world:
            await world.call("a", waiting=1)
            await world.become("a", "failed", "no memory")
            assert (world.running(), world.link.told[-1]) == ([], {"a": {"state": "failed", "ready_in": 10}})
            (status,) = world.supervisor.entries()
            assert (status.state, status.detail) == ("failed", "no memory")
            assert world.gateway.applied[-1].unready == (("a", "could not be started"),)
            await asyncio.sleep(10)
            await world.call("a", waiting=1)
            assert world.running() == ["a"]
            await world.become("a", "ready")
            assert world.states() == {"a": "ready"}

    story(tell)


def test_only_downloads_make_a_wake_another_than_the_next(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"))) as world:
            await world.call("a", waiting=1)
            await world.become("a", "preparing")
            await world.become("a", "starting", "loading the model")
            await asyncio.sleep(3)
            await world.become("a", "ready")
            await world.call("a", taken=1)
            assert WakeTimes(tmp_path / WAKE_TIMES_FILE).expect("a", "command: echo") == pytest.approx(3)

    story(tell)


def test_wakes_of_former_runs_are_told_and_news_of_others_are_not_told_again(tmp_path: Path) -> None:
    WakeTimes(tmp_path / WAKE_TIMES_FILE).note("a", "command: echo", 7)

    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"), entry("b"))) as world:
            assert world.link.told[-1] == {"a": {"state": "asleep", "ready_in": 7}}
            told = len(world.link.told)
            for _ in range(4):
                await asyncio.sleep(1)
                world.supervisor.note_change()
                await settle()
            assert len(world.link.told) == told, "it sleeps as before"
            await world.call("a", waiting=1)
            told = len(world.link.told)
            assert world.link.told[-1] == {"a": {"state": "waking", "ready_in": pytest.approx(7)}}
            for count in range(4):
                await asyncio.sleep(1)
                await world.call("a", waiting=count + 2)
            assert len(world.link.told) == told, "it will be ready when that was said"
            await asyncio.sleep(2)
            await world.become("a", "ready")
            await world.call("a", taken=1)
            assert world.link.told[-1] == {"a": {"state": "ready", "ready_in": 0}}
            assert world.supervisor.sleeping.sleep("a")
            await settle()
            assert world.link.told[-1] == {"a": {"state": "asleep", "ready_in": pytest.approx(6.5)}}, (
                "on average"
            )

    story(tell)
