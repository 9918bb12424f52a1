"""What is told of an edit whose new version does not start, until one can be applied."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

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
        time = HandClock()
        keys = KeyRing(KeyStore(folder), time.clock)
        self.supervisor = Supervisor(
            FakeGateway(),
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
