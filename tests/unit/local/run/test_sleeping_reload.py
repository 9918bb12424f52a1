"""A changed config and models that sleep: who keeps sleeping, and where held calls go."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.config.weights import parse_weights
from centralized_ml_api.errors import StartError
from centralized_ml_api.local.gateway import Gateway, Upstream
from centralized_ml_api.local.machine.clock import WALL_CLOCK
from centralized_ml_api.local.run.acts import Acts
from centralized_ml_api.local.run.registry import RETIRE_SECONDS
from centralized_ml_api.local.servers.parts import ModelSpec
from centralized_ml_api.local.sleep.wake_times import WAKE_TIMES_FILE, WakeTimes
from centralized_ml_api.plan.engines import LlamaCppServing
from centralized_ml_api.plan.types import SleepPlan
from support.fake_target import entry, plan
from support.sleeping import GPU, NAPS, OTHER, serving, settle, sleeper, story

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from centralized_ml_api.plan.types import ApiPlan


def test_one_that_a_reload_removes_is_not_put_to_sleep(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"), sleeper("b"))) as world:
            acts = Acts(world.supervisor, world.reloader, tmp_path, WALL_CLOCK)
            world.link.obeys.clear()
            asked = asyncio.create_task(acts.do("sleep", {"name": "a"}, "command line"))
            await settle()
            await world.supervisor.change_to(plan(sleeper("b")))
            world.link.obeys.set()
            assert (await asked)["error"] == "there is no entry a"

    story(tell)


def test_a_reload_keeps_who_sleeps_and_starts_a_new_version_beside_the_old(tmp_path: Path) -> None:
    async def tell() -> None:
        first = plan(sleeper("a"), sleeper("b"), sleeper("g", GPU))
        async with serving(tmp_path, first) as world:
            await world.call("b", waiting=1)
            for name in ("b", "g"):
                await world.become(name, "ready")
            world.begins = "ready"
            changed = {name: entry(name, OTHER).local for name in ("a", "b", "g")}
            second = plan(
                sleeper("a", local=changed["a"]),
                sleeper("b", local=changed["b"]),
                sleeper("g", GPU, local=changed["g"]),
                sleeper("new", SleepPlan(idle_seconds=5)),
                sleeper("late", GPU),
            )
            reloaded = await world.supervisor.change_to(second)
            assert (reloaded.changed, reloaded.added) == (("a", "b", "g"), ("new", "late"))
            await settle()
            assert world.states() == {
                "a": "asleep",
                "b": "ready",
                "g": "asleep",
                "new": "ready",
                "late": "asleep",
            }
            await world.call("g", waiting=1)
            running = [service for service in world.made if service.spec.name == "g" and service.started]
            assert len(running) == 1, "the old version has the place until it has ended"
            await asyncio.sleep(5)
            assert [service.stopped for service in world.made if service.spec.name == "g"] == [True, False]

    story(tell)


def test_a_call_that_waits_reaches_the_new_version_by_the_route_that_it_has(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"), sleeper("b"))) as world:
            await world.call("b", waiting=1)
            await world.become("b", "ready")
            world.begins = "ready"
            other = entry("a", OTHER).local
            await world.supervisor.change_to(plan(sleeper("a", local=other), sleeper("b", local=other)))
            await settle()
            upstreams = {upstream.name: upstream for upstream in world.gateway.applied[-1].upstreams}
            assert sorted(upstreams) == ["a@1", "b@2", "b@4"], "b was awake: both versions run for a while"
            world.begins = "starting"
            await world.call("a", waiting=1)
            spec = world.last("a").spec
            assert isinstance(spec, ModelSpec)
            assert spec.local == other
            world.last("a").ports = (7009,)
            await world.become("a", "ready")
            assert Upstream("a@1", (7009,)) in world.gateway.applied[-1].upstreams

    story(tell)


def test_a_reload_tells_how_many_calls_the_new_version_answers_at_once(tmp_path: Path) -> None:
    """Those that wait came when there were others, and nobody may call again."""

    def with_slots(count: int, replicas: int = 1) -> ApiPlan:
        weights = parse_weights("hf://o/r/m.gguf")
        serving = LlamaCppServing(weights, 2048, "auto", parallel=count)
        return plan(replace(entry("a", serving, replicas=replicas), sleep=NAPS))

    async def tell() -> None:
        async with serving(tmp_path, with_slots(4)) as world:
            asleep = {"state": "asleep", "ready_in": None}
            assert world.link.told[-1] == {"a": {**asleep, "places": 4, "servers": 1}}
            await world.supervisor.change_to(with_slots(2))
            await settle()
            assert world.link.told[-1] == {"a": {**asleep, "places": 2, "servers": 1}}
            await world.supervisor.change_to(with_slots(2, replicas=3))
            await settle()
            assert world.link.told[-1] == {"a": {**asleep, "places": 6, "servers": 3}}

    story(tell)


def test_calls_are_held_before_the_routes_of_a_group_lead_to_a_version_that_sleeps(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a", GPU))) as world:
            await world.become("a", "ready")
            apply, seen = world.gateway.apply, list[dict[str, str]]()

            async def apply_and_look(gateway: Gateway, reached: Callable[[], None] = lambda: None) -> None:
                seen.append(world.link.states)
                await apply(gateway, reached)

            world.gateway.apply = apply_and_look  # type: ignore[method-assign]
            world.gateway.busy["a@1"] = 1
            await world.supervisor.change_to(plan(sleeper("a", GPU, local=entry("a", OTHER).local)))
            assert seen[0] == {"a": "asleep"}
            (upstream,) = world.gateway.applied[-1].upstreams
            assert upstream == Upstream("a@1", (7000,)), "the calls under way end where they began"
            world.gateway.busy.clear()
            await world.call("a", waiting=1)
            await asyncio.sleep(5)
            assert world.states() == {"a": "waking"}

    story(tell)


def test_a_reload_that_the_gateway_refuses_lets_held_calls_go_on(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a", GPU))) as world:
            await world.become("a", "ready")
            world.gateway.refusal = StartError("no")
            with pytest.raises(StartError):
                await world.supervisor.change_to(plan(sleeper("a", GPU, local=entry("a", OTHER).local)))
            world.gateway.refusal = None
            await settle()
            assert (world.link.states, world.running()) == ({"a": "ready"}, ["a"])

    story(tell)


def test_an_entry_becomes_a_sleeper_and_stops_being_one_without_a_restart(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(entry("a"))) as world:
            await world.become("a", "ready")
            await world.supervisor.change_to(plan(sleeper("a", SleepPlan(idle_seconds=600))))
            await settle()
            assert (world.states(), world.link.states) == ({"a": "ready"}, {"a": "ready"})
            await world.supervisor.change_to(plan(entry("a")))
            await asyncio.sleep(1000)
            assert (world.states(), len(world.made)) == ({"a": "ready"}, 1)

    story(tell)


def test_an_entry_that_slept_wakes_when_it_may_not_sleep_any_more(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"))) as world:
            world.begins = "ready"
            await world.supervisor.change_to(plan(entry("a")))
            await settle()
            assert (world.states(), world.running()) == ({"a": "ready"}, ["a"])

    story(tell)


def test_calls_held_for_one_that_may_not_sleep_any_more_go_on_once_it_is_ready(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("waking"), sleeper("asleep"))) as world:
            await world.call("waking", waiting=1)
            changing = asyncio.create_task(world.supervisor.change_to(plan(entry("waking"), entry("asleep"))))
            await settle()
            assert world.link.states == {"waking": "waking", "asleep": "asleep"}
            await world.become("asleep", "ready")
            assert not changing.done()
            await world.become("waking", "ready")
            await changing
            await settle()
            assert world.link.states == {}, "the admission service lets them go on"
            assert {upstream.name for upstream in world.gateway.applied[-1].upstreams} == {
                "waking@1",
                "asleep@2",
            }
            assert len(world.made) == 3

    story(tell)


def test_nobody_looks_for_the_last_call_of_a_version_that_was_replaced(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"))) as world:
            await world.call("a", waiting=1)
            await world.become("a", "ready")
            await world.call("a", taken=1)
            world.gateway.busy["a@1"] = None
            assert world.supervisor.sleeping.sleep("a")
            await settle()
            world.begins = "ready"
            await world.supervisor.change_to(plan(sleeper("a", local=entry("a", OTHER).local)))
            await asyncio.sleep(2 * RETIRE_SECONDS)
            looked = list[str]()

            class Looks(dict[str, int | None]):
                """What the gateway has under way, and for which upstreams somebody asked."""

                def get(self, upstream: str, default: Any = None) -> int | None:
                    looked.append(upstream)
                    return super().get(upstream, default)

            world.gateway.busy = Looks(world.gateway.busy)
            await asyncio.sleep(60)
            assert "a@1" not in looked

    story(tell)


def test_calls_are_held_before_the_routes_change_but_a_service_that_is_away_keeps_nobody_waiting(
    tmp_path: Path,
) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a", GPU))) as world:
            await world.become("a", "ready")
            applied = len(world.gateway.applied)
            world.link.obeys.clear()
            began = asyncio.get_running_loop().time()
            changing = asyncio.create_task(
                world.supervisor.change_to(plan(sleeper("a", GPU, local=entry("a", OTHER).local)))
            )
            await settle()
            assert (world.link.states, len(world.gateway.applied)) == ({"a": "asleep"}, applied)
            await changing
            assert asyncio.get_running_loop().time() - began == pytest.approx(5), "five seconds are enough"
            assert len(world.gateway.applied) > applied
            world.link.obeys.set()
            await world.call("a", waiting=1)
            await asyncio.sleep(RETIRE_SECONDS)
            await world.become("a", "ready")
            assert world.link.states == {"a": "ready"}, "nobody is held any more"

    story(tell)


def test_one_that_sleeps_meanwhile_keeps_no_other_from_being_ready(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"), sleeper("b"))) as world:
            await world.call("a", waiting=1)
            await world.become("a", "ready")
            await world.call("a", taken=1)
            await world.call("b", waiting=1)
            apply, turns = world.gateway.apply, asyncio.Semaphore(0)

            async def apply_in_turn(gateway: Gateway, reached: Callable[[], None] = lambda: None) -> None:
                await turns.acquire()
                await apply(gateway, reached)

            world.gateway.apply = apply_in_turn  # type: ignore[method-assign]
            await world.become("b", "ready")  # the gateway is being told that both are ready
            assert world.supervisor.sleeping.sleep("a")
            await settle()
            turns.release()
            await settle()
            assert world.link.states == {"a": "asleep", "b": "ready"}
            for _ in range(9):
                turns.release()
            await settle()

    story(tell)


def test_a_version_that_takes_over_while_it_runs_has_not_woken(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(sleeper("a"))) as world:
            await world.call("a", waiting=1)
            await asyncio.sleep(3)
            await world.become("a", "ready")
            world.begins = "ready"
            await world.supervisor.change_to(plan(sleeper("a", local=entry("a", OTHER).local)))
            await settle()
            assert world.states() == {"a": "ready"}
            times = WakeTimes(tmp_path / WAKE_TIMES_FILE)
            assert times.expect("a", "command: echo") == pytest.approx(3)
            assert times.expect("a", "command: other") is None

    story(tell)
