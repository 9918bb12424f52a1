"""What changes from plan to plan: nothing that goes on is disturbed, and what fails leaves all as it was."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.gateway import RefusedRoute
from centralized_ml_api.local.run.change import Failure, Reloaded
from centralized_ml_api.local.run.registry import RETIRE_LOOK_SECONDS, RETIRE_QUIET_LOOKS
from centralized_ml_api.plan.engines import CommandServing
from centralized_ml_api.plan.types import LocalPlan
from support.fake_target import (
    entry,
    function,
    plan,
    soon,
)
from support.story import story
from support.supervised import OTHER, RED, serving

if TYPE_CHECKING:
    from pathlib import Path


def test_a_changed_entry_starts_beside_the_old_and_takes_over_once_it_is_ready(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(entry("a"), entry("b"))) as world:
            world.begins = "starting"
            after = plan(entry("a", OTHER), entry("b"))
            changing = asyncio.create_task(world.supervisor.change_to(after))
            await soon(lambda: len(world.made) == 3)
            await world.settle()
            assert (world.routes["a"], world.supervisor.plan.deployments[0].local) == (
                "a@1",
                LocalPlan(world_serving("a"), 1, {}),
            )
            assert not changing.done()
            world.gateway.busy["a@1"] = 1
            world.made[2].become("ready")
            assert await changing == Reloaded(changed=("a",))
            assert world.routes == {"a": "a@3", "b": "b@2"}
            assert world.upstreams == ["a@3", "b@2", "a@1"]
            assert world.supervisor.plan == after
            await soon(lambda: len(world.time.slept) > RETIRE_QUIET_LOOKS)
            assert not world.made[0].stopped
            world.gateway.busy.clear()
            await soon(lambda: world.made[0].stopped)
            await world.settle()
            assert world.upstreams == ["a@3", "b@2"]
            assert [service.stopped for service in world.made] == [True, False, False]
            assert set(world.time.slept) == {RETIRE_LOOK_SECONDS}

    story(tell)


def world_serving(name: str) -> CommandServing:
    """What an entry is served by when nobody says otherwise."""
    local = entry(name).local
    assert local is not None
    assert isinstance(local.serving, CommandServing)
    return local.serving


def test_what_the_gateway_refuses_is_not_served_later_either(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(entry("a"))) as world:
            world.gateway.refusal = StartError("no such route")
            with pytest.raises(StartError, match="no such route"):
                await world.supervisor.change_to(plan(entry("a", OTHER)))
            for _ in range(50):
                await asyncio.sleep(0)
            assert [service.stopped for service in world.made] == [False, True]
            world.gateway.refusal = None
            world.supervisor.note_change()
            await world.settle()
            assert world.upstreams == ["a@1"]

    story(tell)


def test_after_a_refusal_everything_is_as_it_was_and_the_next_change_works(tmp_path: Path) -> None:
    async def tell() -> None:
        before = plan(entry("a"), entry("b"))
        async with serving(tmp_path, before) as world:
            world.gateway.refusal = StartError("no such route")
            with pytest.raises(StartError, match="no such route"):
                await world.supervisor.change_to(plan(entry("a", OTHER), entry("c"), event=RED))
            assert world.supervisor.plan == before
            assert [running.upstream for name in "ab" if (running := world.supervisor.find(name))] == [
                "a@1",
                "b@2",
            ]
            assert world.supervisor.find("c") is None
            world.gateway.refusal = None
            await world.settle()
            assert world.routes == {"a": "a@1", "b": "b@2"}
            assert await world.supervisor.change_to(plan(entry("a"))) == Reloaded(removed=("b",))
            await soon(lambda: world.made[1].stopped)
            assert not world.made[0].stopped

    story(tell)


def test_a_plan_is_applied_when_its_entries_its_event_and_its_code_are_served(tmp_path: Path) -> None:
    async def tell() -> None:
        code = tmp_path / "code"
        code.mkdir()
        served = plan(entry("a", function=function(code)))
        async with serving(tmp_path, served) as world:
            assert await world.supervisor.is_applied(served)
            assert not await world.supervisor.is_applied(plan(entry("a", OTHER, function=function(code))))
            assert not await world.supervisor.is_applied(replace(served, event=RED))
            (code / "index.py").write_text("")
            assert not await world.supervisor.is_applied(served)

    story(tell)


def test_an_unchanged_entry_keeps_its_service_and_a_new_one_is_added(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(entry("a"))) as world:
            assert await world.supervisor.change_to(plan(entry("a"), entry("b"))) == Reloaded(added=("b",))
            assert [service.spec.name for service in world.made] == ["a", "b"]
            assert world.routes == {"a": "a@1", "b": "b@2"}

    story(tell)


def test_a_service_that_failed_is_started_again_though_nothing_changed(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(entry("a"), entry("b"))) as world:
            world.made[0].become("failed", "no such program")
            world.made[1].become("unready")
            await world.settle()
            reloaded = await world.supervisor.change_to(plan(entry("a"), entry("b")))
            assert reloaded == Reloaded(changed=("a",))
            assert world.routes == {"a": "a@3", "b": "b@2"}
            await soon(lambda: world.made[0].stopped)

    story(tell)


def test_a_restart_starts_one_entry_again_beside_itself(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(entry("a"), entry("b"))) as world:
            world.begins = "starting"
            restarting = asyncio.create_task(world.supervisor.restart("a"))
            await soon(lambda: len(world.made) == 3)
            await world.settle()
            assert world.routes == {"a": "a@1", "b": "b@2"}
            world.made[2].become("ready")
            assert await restarting == Reloaded(changed=("a",))
            assert world.routes == {"a": "a@3", "b": "b@2"}
            await soon(lambda: world.made[0].stopped)
            assert not world.made[1].stopped

    story(tell)


def test_an_entry_whose_new_version_fails_stays_whole_as_it_was(tmp_path: Path) -> None:
    async def tell() -> None:
        before = plan(entry("a", function=function(tmp_path), integration="lambda"), entry("b"))
        async with serving(tmp_path, before) as world:
            world.begins = "starting"
            changed = entry("a", OTHER, function=function(tmp_path, timeout_seconds=99), integration="lambda")
            changing = asyncio.create_task(world.supervisor.change_to(plan(changed, entry("b", OTHER))))
            await soon(lambda: len(world.made) == 6)
            by_name = {service.spec.name: service for service in world.made[3:]}
            by_name["a"].become("failed", "ended with status 1", tuple("abcdefgh"))
            by_name["a.function"].become("ready")
            by_name["b"].become("ready")
            failure = Failure("a", "ended with status 1", tuple("cdefgh"))
            assert await changing == Reloaded(changed=("b",), kept=(failure,))
            assert [by_name[name].stopped for name in ("a", "a.function", "b")] == [True, True, False]
            assert world.routes == {"a": "a.function@2", "b": "b@6"}
            assert world.supervisor.plan.deployments[0] == before.deployments[0]
            assert [service.stopped for service in world.made[:2]] == [False, False]

    story(tell)


def test_a_new_entry_that_does_not_start_is_there_and_failed(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(entry("a"))) as world:
            world.begins = "failed"
            reloaded = await world.supervisor.change_to(plan(entry("a"), entry("b")))
            assert reloaded == Reloaded(added=("b",), failed=(Failure("b", "", ()),))
            assert world.routes == {"a": "a@1", "b": "b@2"}
            assert world.served.unready == (("b", "could not be started"),)

    story(tell)


def test_a_removed_entry_and_one_that_is_refused_now_lose_their_services(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(entry("a"), entry("b"), entry("c"))) as world:
            reloaded = await world.supervisor.change_to(plan(entry("a"), entry("b", serving=None)))
            assert reloaded == Reloaded(changed=("b",), removed=("c",))
            assert world.routes == {"a": "a@1", "b": ""}
            assert sorted(world.upstreams) == ["a@1", "b@2", "c@3"]
            refused = world.served.routes[1]
            assert isinstance(refused, RefusedRoute)
            assert "has no local block" in refused.message
            assert world.supervisor.why_refused("b") == refused.message
            await soon(lambda: world.made[1].stopped and world.made[2].stopped)
            await world.settle()
            assert world.upstreams == ["a@1"]
            assert not world.made[0].stopped

    story(tell)


def test_a_function_that_is_taken_away_ends_and_its_model_goes_on(tmp_path: Path) -> None:
    async def tell() -> None:
        before = plan(entry("a", function=function(tmp_path), integration="lambda"))
        async with serving(tmp_path, before) as world:
            await world.supervisor.change_to(plan(entry("a")))
            assert world.routes == {"a": "a@1"}
            await soon(lambda: world.made[1].stopped)
            assert not world.made[0].stopped

    story(tell)


def test_a_change_that_is_called_off_ends_what_it_started_and_nothing_else(tmp_path: Path) -> None:
    async def tell() -> None:
        before = plan(entry("a"))
        async with serving(tmp_path, before) as world:
            world.begins = "starting"
            changing = asyncio.create_task(world.supervisor.change_to(plan(entry("a", OTHER), entry("b"))))
            await soon(lambda: len(world.made) == 3)
            await world.settle()
            changing.cancel()
            await asyncio.wait({changing})
            assert changing.cancelled()
            assert [service.stopped for service in world.made] == [False, True, True]
            assert (world.supervisor.plan, world.routes) == (before, {"a": "a@1"})

    story(tell)


def test_a_change_of_the_event_alone_that_is_refused_is_told_to_the_gateway_anew(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(entry("a"))) as world:
            world.gateway.refusal = StartError("no such team\nand more")
            with pytest.raises(StartError):
                await world.supervisor.change_to(plan(entry("a"), event=RED))
            await soon(lambda: world.supervisor.notes)
            assert world.supervisor.notes == ("the gateway serves what it served before: no such team",)
            applied = len(world.gateway.applied)
            world.gateway.refusal = None
            await soon(lambda: len(world.gateway.applied) > applied)
            assert world.served.teams == ()

    story(tell)
