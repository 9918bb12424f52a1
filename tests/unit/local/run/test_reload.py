"""What is told of an edit whose new version does not start, until one can be applied."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.keys import KeyRing, KeyStore
from centralized_ml_api.local.run.options import Terminal
from centralized_ml_api.local.run.reload import Reloader, load_plan
from centralized_ml_api.local.run.supervisor import Supervisor
from centralized_ml_api.local.sleep.wake_times import WAKE_TIMES_FILE, WakeTimes
from centralized_ml_api.local.status import Unapplied
from support.fake_target import NOON, FakeGateway, FakeLink, FakeService, HandClock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from centralized_ml_api.local.run.specs import ServiceSpec
    from centralized_ml_api.local.supervision.service import ServiceState


class World:
    """A reloader of a config with the entries `a` and `b`, whose new services are in the state `begins`."""

    def __init__(self, folder: Path) -> None:
        self.config = folder / "models.json"
        self.begins: ServiceState = "ready"
        self.said: list[str] = []
        self.gateway = FakeGateway()
        time = HandClock()
        keys = KeyRing(KeyStore(folder), time.clock)
        self.supervisor = Supervisor(
            self.gateway,
            keys,
            self.make,
            link=FakeLink(),
            times=WakeTimes(folder / WAKE_TIMES_FILE),
            show=lambda: None,
            fail=lambda _: None,
            clock=time.clock,
        )
        terminal = Terminal(lambda _: None, self.said.append, lambda _: None)
        self.reloader = Reloader(self.config, self.supervisor, terminal, lambda _: None, clock=time.clock)

    def make(self, spec: ServiceSpec, changed: Callable[[], None]) -> FakeService:
        service = FakeService(spec, changed, state=self.begins)
        service.detail = f"{spec.name} has no memory" if self.begins == "failed" else ""
        return service

    def write(self, program: str) -> None:
        local = {"engine": "command", "run": [program, "{port}"]}
        entries = [{"name": name, "integration": {"type": "api"}, "local": local} for name in "ab"]
        self.config.write_text(json.dumps({"endpoints": entries}))


def test_an_edit_that_does_not_start_is_told_by_its_first_entry_until_one_does(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        world.write("true")
        await world.supervisor.start(load_plan(world.config))
        serving = asyncio.create_task(world.supervisor.run())
        world.begins = "failed"
        world.write("false")
        await world.reloader.apply_edit()
        assert world.reloader.unapplied == Unapplied(NOON.timestamp(), "a: a has no memory", "a")
        assert "a keeps its old version; the new one could not be started: a has no memory" in world.said[-1]
        world.begins = "ready"
        world.write("yes")
        await world.reloader.apply_edit()
        assert world.reloader.unapplied is None
        serving.cancel()
        await asyncio.wait({serving})
        await world.supervisor.stop()

    asyncio.run(asyncio.wait_for(tell(), 60))


def test_an_edit_that_the_gateway_refuses_is_told_in_its_words(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        world.write("true")
        await world.supervisor.start(load_plan(world.config))
        world.write("yes")
        world.gateway.refusal = StartError("it does not answer")
        await world.reloader.apply_edit()
        assert world.reloader.unapplied == Unapplied(NOON.timestamp(), "it does not answer")
        assert world.said[-1] == "Nothing was changed: the API goes on as before."
        await world.supervisor.stop()

    asyncio.run(asyncio.wait_for(tell(), 60))


@pytest.mark.parametrize(("problems", "more"), [(1, ""), (2, ", and 1 more"), (3, ", and 2 more")])
def test_of_a_wrong_config_the_first_problem_is_told_and_how_many_more_there_are(
    tmp_path: Path, problems: int, more: str
) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        entries = [{"name": f"m{number}", "integration": {"type": "nothing"}} for number in range(problems)]
        world.config.write_text(json.dumps({"endpoints": entries}))
        await world.reloader.apply_edit()
        assert world.reloader.unapplied is not None
        assert world.reloader.unapplied.reason.startswith(f"{world.config}:1:")
        assert world.reloader.unapplied.reason.partition("]")[2] == more
        assert not await world.reloader.is_applied()

    asyncio.run(asyncio.wait_for(tell(), 60))


def test_another_config_that_is_wrong_says_nothing_of_the_one_that_is_served(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        other = tmp_path / "other.json"
        other.write_text("{")
        told = await world.reloader.reload(str(other))
        assert [problem["id"] for problem in told["problems"]] == ["C004"]
        assert told["source"] is not None
        assert (world.reloader.config, world.reloader.unapplied) == (world.config, None)

    asyncio.run(asyncio.wait_for(tell(), 60))
