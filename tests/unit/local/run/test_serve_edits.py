"""Configs and code that change while a local target serves."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from centralized_ml_api.errors import StartError
from support.fake_target import soon
from support.served_target import World, model, serving
from support.story import story

if TYPE_CHECKING:
    from pathlib import Path


def test_a_reload_changes_what_is_served_and_when_it_ends(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        world.looks_seconds = 10.0  # so that no edit is noticed before the reload
        async with model() as url, model() as other:
            world.write(url)
            async with serving(world):
                ends = "2099-01-01T00:00:00Z"
                world.write(url, other, event={"ends": ends})
                changes = await world.ask(lambda client: client.reload(None))
                assert (changes["added"], changes["event"]) == (["m1"], ["end"])
                status = await world.ask(lambda client: client.status())
                assert status.ends == ends
                assert [route.name for route in world.envoy.applied[-1].routes] == ["m0", "m1"]
                elsewhere = tmp_path / "other.json"
                world.config.rename(elsewhere)
                changes = await world.ask(lambda client: client.reload(elsewhere))
                assert changes == {
                    **{key: [] for key in ("added", "changed", "removed", "kept", "failed", "event")},
                    "applied_edit": None,
                }
                assert (await world.ask(lambda client: client.status())).config == str(elsewhere)

    story(tell)


def test_a_wrong_config_and_a_gateway_that_refuses_are_told_to_who_reloads(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        world.looks_seconds = 10.0
        async with model() as url:
            world.write(url)
            async with serving(world):
                world.config.write_text("{")
                told = await world.ask(lambda client: client.reload(None))
                assert [problem["id"] for problem in told["problems"]] != []
                assert told["source"] is not None
                world.write(url, url)
                world.envoy.error = StartError("it does not answer")
                told = await world.ask(lambda client: client.reload(None))
                assert told == {"error": "it does not answer"}
                world.envoy.error = None

    story(tell)


def test_an_edit_is_applied_and_a_wrong_one_changes_nothing(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        async with model() as url:
            world.write(url)
            async with serving(world):
                world.write(url, "")
                await soon(lambda: "Reloaded: added m1." in world.said)
                assert world.said[0] == "The config, a function or a model was edited: reloading…"
                world.config.write_text("{")
                await soon(lambda: "Nothing was changed: the API goes on as before." in world.said)
                assert len(world.failed) == 1
                assert [entry.name for entry in world.status.entries] == ["m0", "m1"]

    story(tell)


def test_an_edit_that_cannot_be_applied_is_told_until_one_can(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        async with model() as url:
            world.write(url)
            async with serving(world):
                assert (await world.ask(lambda client: client.status())).unapplied is None
                world.config.write_text("{")
                await soon(lambda: world.failed)
                first = (await world.ask(lambda client: client.status())).unapplied
                assert first is not None
                assert first.reason == f"{world.config}:1:1: not valid JSON [C004]"
                world.write(url, models=3)
                await soon(lambda: len(world.failed) == 2)
                second = (await world.ask(lambda client: client.status())).unapplied
                assert second is not None
                assert (second.since, "C0" in second.reason) == (first.since, True)
                world.write(url, "")
                await soon(lambda: "Reloaded: added m1." in world.said)
                assert (await world.ask(lambda client: client.status())).unapplied is None
                told = await world.ask(lambda client: client.reload(None))
                assert (told["added"], told["applied_edit"]["added"]) == ([], ["m1"])

    story(tell)


def test_an_edit_while_it_starts_is_applied_too(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        async with model() as url:
            world.write(url)
            world.envoy.starts.clear()
            running = asyncio.create_task(world.run())
            await soon(lambda: world.processes)
            world.write(url, "")
            world.envoy.starts.set()
            await soon(lambda: "Reloaded: added m1." in world.said)
            assert world.target is not None
            world.target.request_stop()
            await running

    story(tell)


def test_an_edit_of_a_functions_code_is_noticed(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        code = tmp_path / "code"
        code.mkdir()
        (code / "index.js").write_text("1")
        async with model() as url:
            world.write(url)
            config = json.loads(world.config.read_text())
            properties = {"code": "code", "runtime": "nodejs22.x", "permissions": [], "timeout": 9}
            function = {"type": "lambda", "properties": properties}
            config["endpoints"].append({"name": "f", "integration": function})
            world.config.write_text(json.dumps(config))
            async with serving(world):
                (code / "index.js").write_text("1 + 1")
                await soon(lambda: "Reloaded: the API already matches the config." in world.said)

    story(tell)


def test_keys_that_change_reach_the_gateway(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        async with model() as url:
            world.write(url, event={"teams": ["red"]})
            async with serving(world):
                keys = tmp_path / ".mlapi" / "keys.json"
                first = world.envoy.launched[0]
                assert first is not None
                (key,) = first.teams[0].keys
                assert key in keys.read_text()
                keys.write_text("damaged")
                await soon(lambda: world.failed and world.status.notes)
                assert "the keys read before still work" in world.status.notes[0]

    story(tell)
