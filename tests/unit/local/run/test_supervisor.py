"""The supervisor: what it starts, what it tells the gateway and whoever asks, and how it stops."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.api.keys import new_key
from centralized_ml_api.errors import StartError
from centralized_ml_api.local.gateway import Gateway, Upstream
from centralized_ml_api.local.keys.record import TeamRecord
from centralized_ml_api.local.run.supervisor import RETRY_SECONDS
from centralized_ml_api.plan.engines import CommandServing
from centralized_ml_api.plan.event import EventPlan, JoinPlan, TeamPlan, Throttle
from centralized_ml_api.plan.types import SleepPlan
from support.fake_target import (
    NOON,
    entry,
    function,
    plan,
    soon,
)
from support.story import story
from support.supervised import DOOR, OTHER, RED, World, serving

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from centralized_ml_api.plan.types import ApiPlan


def test_a_start_makes_every_service_and_tells_the_gateway_before_that_starts(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        world.begins = "starting"
        wrapped = entry("b", function=function(tmp_path), integration="lambda")
        await world.supervisor.start(plan(entry("a"), wrapped, entry("none", serving=None)))
        assert [service.spec.name for service in world.made] == ["a", "b", "b.function"]
        assert len(world.gateway.applied) == 1
        assert world.routes == {"a": "a@1", "b": "b.function@3", "none": ""}
        assert world.served.unready == (("a", "is starting"), ("b", "is starting"))
        assert world.shown == 0
        await world.supervisor.stop()

    story(tell)


def test_an_entry_is_ready_once_the_gateway_knows(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        world.begins = "starting"
        await world.supervisor.start(plan(entry("a")))
        running = asyncio.create_task(world.supervisor.run())
        await world.settle()
        world.gateway.takes.clear()
        world.made[0].become("ready")
        await world.settle()
        assert [status.state for status in world.supervisor.entries()] == ["starting"]
        world.gateway.takes.set()
        await world.settle()
        assert [status.state for status in world.supervisor.entries()] == ["ready"]
        running.cancel()
        await asyncio.wait({running})
        await world.supervisor.stop()

    story(tell)


def test_what_is_asked_of_it_comes_from_the_plan_and_the_services(tmp_path: Path) -> None:
    async def tell() -> None:
        wrapped = entry("b", function=function(tmp_path, layers=("arn",)), integration="lambda")
        first = replace(plan(wrapped, entry("none", serving=None)), not_acted_on=("event.budget: …",))
        async with serving(tmp_path, first) as world:
            ask = world.supervisor
            assert ask.plan == first
            assert [(status.name, status.state) for status in ask.entries()] == [
                ("b", "ready"),
                ("none", "not served"),
            ]
            found = ask.find("b")
            assert found is not None
            assert found.service is world.made[0]
            assert ask.find("none") is None
            assert ask.upstreams() == {"b": ("b.function@2", "b@1"), "none": ()}
            assert "has no local block" in ask.why_refused("none")
            assert ask.why_refused("b") == ""
            budget, layers = ask.notes
            assert budget == "event.budget: …"
            assert layers.startswith("b: layers are not fetched")

    story(tell)


def test_every_change_of_a_service_reaches_the_gateway_and_is_shown_after_that(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(entry("a"))) as world:
            assert world.shown == 1
            world.made[0].ports = ()
            world.made[0].become("restarting", "ended with status 1")
            await world.settle()
            assert world.served.unready == (("a", "is restarting"),)
            assert world.served.upstreams == (Upstream("a@1", ()),)
            assert world.shown == 2
            world.made[0].ports = (7010,)
            world.made[0].become("ready")
            await world.settle()
            assert list(world.served.unready) == []
            assert world.served.upstreams == (Upstream("a@1", (7010,)),)

    story(tell)


def test_nothing_is_shown_that_the_gateway_does_not_know_yet(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(entry("a"))) as world:
            apply, shown = world.gateway.apply, world.shown
            seen: list[int] = []

            async def apply_while_something_changes(
                gateway: Gateway, reached: Callable[[], None] = lambda: None
            ) -> None:
                await apply(gateway, reached)
                if not seen:
                    world.made[0].become("ready")
                seen.append(world.shown)

            world.gateway.apply = apply_while_something_changes  # type: ignore[method-assign]
            world.made[0].become("unready")
            await world.settle()
            assert seen == [shown, shown]
            assert world.shown == shown + 1

    story(tell)


def test_what_is_paused_reaches_the_gateway(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(entry("a"), entry("b"))) as world:
            world.supervisor.notices.pause("b", "Lunch")
            world.supervisor.note_change()
            await world.settle()
            assert world.served.paused == {"b": "Lunch"}

    story(tell)


def test_a_service_that_a_bug_ends_is_published_too(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(entry("a"))) as world:
            world.made[0].broken.set()
            await world.settle()
            assert world.served.unready == (("a", "could not be started"),)

    story(tell)


def test_the_gateway_gets_the_keys_of_the_plans_teams(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(entry("a"), event=RED)) as world:
            (red,) = world.served.teams
            assert red.keys == world.keys.valid()["red"]
            assert len(red.keys) == 1
            both = EventPlan(teams=(*RED.teams, TeamPlan("blue", None, None, None)))
            shown = world.shown
            await world.supervisor.change_to(plan(entry("a"), event=both))
            await soon(lambda: world.shown > shown)
            assert [(team.name, len(team.keys)) for team in world.served.teams] == [("red", 1), ("blue", 1)]

    story(tell)


def test_a_team_that_joins_is_told_to_the_gateway_and_kept_through_changes(tmp_path: Path) -> None:
    async def tell() -> None:
        places = EventPlan(join=JoinPlan(2, TeamPlan("", Throttle(3, 6), None, None)))
        async with serving(tmp_path, plan(entry("a"), event=places)) as world:
            assert (world.served.teams, world.served.needs_key) == ((), True)
            assert world.served.door == DOOR
            assert DOOR.upstream in world.served.upstreams
            key = new_key()
            await world.keys.change(lambda records: (*records, TeamRecord("Owls", key, joined=True)))
            world.supervisor.note_change()
            await world.supervisor.teams.until_told("Owls")
            (owls,) = world.served.teams
            assert (owls.name, owls.keys, owls.throttle) == ("Owls", (key,), Throttle(3, 6))
            assert [team.name for team in world.supervisor.plan.event.teams] == ["Owls"]
            assert world.supervisor.teams.event == places
            both = plan(entry("a"), event=replace(places, teams=RED.teams))
            await world.supervisor.change_to(both)
            await soon(lambda: [team.name for team in world.served.teams] == ["red", "Owls"])
            assert await world.supervisor.is_applied(both)
            await world.supervisor.change_to(plan(entry("a"), event=RED))
            await soon(lambda: [team.name for team in world.served.teams] == ["red"])
            assert world.served.door is None

    story(tell)


def test_without_its_keys_nothing_starts(tmp_path: Path) -> None:
    async def tell() -> None:
        (tmp_path / "keys.json").write_text("damaged")
        world = World(tmp_path)
        with pytest.raises(StartError, match=r"keys\.json"):
            await world.supervisor.start(plan(entry("a"), event=RED))
        assert (world.made, world.gateway.applied) == ([], [])

    story(tell)


def test_trouble_with_the_keys_is_said_once_and_noted_while_it_lasts(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(entry("a"), event=RED)) as world:
            looking = asyncio.create_task(world.keys.run(world.supervisor.note_change))
            keys = (tmp_path / "keys.json").read_text()
            (tmp_path / "keys.json").write_text("damaged")
            await soon(lambda: world.failed)
            await world.settle()
            for _ in range(2):
                world.supervisor.note_change()
                await world.settle()
            assert [type(error) for error in world.failed] == [StartError]
            (note,) = world.supervisor.notes
            assert note.endswith("; the keys read before still work")
            (tmp_path / "keys.json").write_text(keys)
            await soon(lambda: world.supervisor.notes == ())
            await world.settle()
            (tmp_path / "keys.json").write_text("damaged again")
            await soon(lambda: len(world.failed) == 2)
            looking.cancel()

    story(tell)


def test_a_refusal_of_the_gateway_is_said_once_and_tried_again_later(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(entry("a"))) as world:
            world.gateway.refusal = StartError("it does not answer")
            world.supervisor.note_change()
            await soon(lambda: len(world.time.slept) >= 3)
            assert set(world.time.slept) == {RETRY_SECONDS}
            assert [error.message for error in world.failed] == ["it does not answer"]
            assert world.supervisor.notes == ("the gateway serves what it served before: it does not answer",)
            world.gateway.refusal = StartError("something else\nin many lines")
            await soon(lambda: len(world.failed) == 2)
            world.gateway.refusal = None
            applied = len(world.gateway.applied)
            await soon(lambda: len(world.gateway.applied) > applied)
            await world.settle()
            assert len(world.failed) == 2
            assert list(world.supervisor.notes) == []
            world.gateway.refusal = StartError("something else")
            world.supervisor.note_change()
            await soon(lambda: len(world.failed) == 3)
            world.gateway.refusal = None

    story(tell)


def test_what_the_catalogue_knows_is_loaded_at_a_start_and_at_a_change(tmp_path: Path) -> None:
    async def tell() -> None:
        (tmp_path / "cat.png").write_bytes(b"cat")
        (tmp_path / "dog.png").write_bytes(b"doggy")

        def shows(name: str) -> ApiPlan:
            shown = entry("a", sample={"$file": name})
            return replace(plan(shown), folders=(tmp_path,))

        async with serving(tmp_path, shows("cat.png")) as world:
            assert any("cat.png" in document.text for document in world.served.documents)
            await world.supervisor.change_to(shows("dog.png"))
            assert any("dog.png" in document.text for document in world.served.documents)

    story(tell)


def test_models_are_listed_with_the_instant_at_which_the_api_began(tmp_path: Path) -> None:
    async def tell() -> None:
        chats = CommandServing(("vllm",), ping="/health", invocations="/v1/chat/completions")
        async with serving(tmp_path, plan(entry("a", chats))) as world:
            world.time.seconds += 3600
            await world.supervisor.change_to(plan(entry("a", chats), entry("b", chats)))
            assert [(model.name, model.created) for model in world.served.listed] == [
                ("a", NOON.timestamp()),
                ("b", NOON.timestamp()),
            ]

    story(tell)


def test_a_stop_ends_everything_also_what_still_finishes_calls(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path, plan(entry("a"), entry("b"))) as world:
            world.gateway.busy["a@1"] = 1
            await world.supervisor.change_to(plan(entry("a", OTHER), entry("b")))
            for service in world.made:
                service.may_end.clear()
            stopping = asyncio.create_task(world.supervisor.stop())
            for _ in range(20):
                await asyncio.sleep(0)
            assert not stopping.done()
            for service in world.made:
                service.may_end.set()
            await stopping
            assert [service.stopped for service in world.made] == [True, True, True]

    story(tell)


def test_who_may_sleep_is_known_from_the_start_and_after_a_change(tmp_path: Path) -> None:
    async def tell() -> None:
        naps, shares = SleepPlan(on_call=True), SleepPlan(shares="gpu")
        first = [
            replace(entry(name), sleep=sleep) for name, sleep in (("a", naps), ("b", shares), ("c", shares))
        ]
        async with serving(tmp_path, plan(*first, entry("d"))) as world:
            sleeping = world.supervisor.sleeping
            assert [name for name in "abcd" if name in sleeping] == ["a", "b", "c"]
            assert [service.spec.name for service in world.made if service.started] == ["b", "d"]
            await world.supervisor.change_to(plan(replace(entry("d"), sleep=naps), entry("a")))
            assert [name for name in "abcd" if name in sleeping] == ["d"]
            for service in world.made:
                service.stopped |= not service.started  # nothing of those that never woke is to be stopped

    story(tell)


def test_the_gateway_waits_for_the_start_of_the_event(tmp_path: Path) -> None:
    async def tell() -> None:
        starts = NOON + timedelta(hours=1)
        async with serving(tmp_path, plan(entry("a"), event=replace(RED, starts=starts))) as world:
            assert (world.served.starts, world.supervisor.told_start) == (starts, starts)
            world.time.seconds += 3601
            world.supervisor.note_change()
            await soon(lambda: world.served.starts is None)
            assert world.supervisor.told_start is None

    story(tell)
