"""A supervisor whose models may sleep, among fakes and under a clock of its own."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.local.keys import KeyRing, KeyStore
from centralized_ml_api.local.machine.clock import Clock
from centralized_ml_api.local.run.options import Terminal
from centralized_ml_api.local.run.reload import Reloader
from centralized_ml_api.local.run.supervisor import Supervisor
from centralized_ml_api.local.sleep.wake_times import WAKE_TIMES_FILE, WakeTimes
from centralized_ml_api.plan.engines import CommandServing
from centralized_ml_api.plan.types import SleepPlan
from support.fake_target import NOON, FakeGateway, FakeLink, FakeService, entry
from support.virtual_time import PatientLoop, VirtualTimeLoop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from centralized_ml_api.local.run.specs import ServiceSpec
    from centralized_ml_api.local.supervision.service import ServiceState
    from centralized_ml_api.plan.types import ApiPlan, ModelDeployment

NAPS = SleepPlan(idle_seconds=60, on_call=True)
GPU = SleepPlan(shares="gpu")
OTHER = CommandServing(("other",), ping="/ping", invocations="/run")
WAITS = {"error": "calls wait for a", "fix": "try again when they are answered", "failed": False}


def sleeper(name: str, sleep: SleepPlan = NAPS, **changes: Any) -> ModelDeployment:
    return replace(entry(name), sleep=sleep, **changes)


class World:
    """A supervisor among fakes, under a clock of its own. New services are in the state `begins`."""

    def __init__(self, folder: Path) -> None:
        loop = asyncio.get_running_loop()
        self.folder = folder
        self.gateway = FakeGateway()
        self.link = FakeLink()
        self.made: list[FakeService] = []
        self.begins: ServiceState = "starting"
        clock = Clock(lambda: NOON + timedelta(seconds=loop.time()), asyncio.sleep, loop.time)
        self.supervisor = Supervisor(
            self.gateway,
            KeyRing(KeyStore(folder), clock),
            self.make,
            link=self.link,
            times=WakeTimes(folder / WAKE_TIMES_FILE),
            show=lambda: None,
            fail=lambda error: pytest.fail(str(error)),
            clock=clock,
        )

    @property
    def reloader(self) -> Reloader:
        """One that nobody sees."""
        terminal = Terminal(lambda _: None, lambda _: None, lambda _: None)
        return Reloader(self.folder / "models.json", self.supervisor, terminal, lambda _: None)

    def make(self, spec: ServiceSpec, changed: Callable[[], None]) -> FakeService:
        service = FakeService(spec, changed, state=self.begins)
        self.made.append(service)
        return service

    def running(self) -> list[str]:
        """The services that run."""
        return [service.spec.name for service in self.made if service.started and not service.stopped]

    def states(self) -> dict[str, str]:
        return {status.name: status.state for status in self.supervisor.entries()}

    def last(self, name: str) -> FakeService:
        return [service for service in self.made if service.spec.name == name][-1]

    async def call(self, name: str, **calls: int) -> None:
        """Calls that wait, or go on."""
        self.link.note(name, **calls)
        await settle()

    async def become(self, name: str, state: ServiceState, detail: str = "") -> None:
        self.last(name).become(state, detail)
        await settle()


async def settle() -> None:
    """Until nothing more happens at this moment; threads that look at files take a while."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    for _ in range(30):
        await asyncio.sleep(0)


@asynccontextmanager
async def serving(folder: Path, first: ApiPlan) -> AsyncIterator[World]:
    world, tasks = World(folder), asyncio.all_tasks()
    await world.supervisor.start(first)
    running = {
        asyncio.create_task(work) for work in (world.supervisor.run(), world.supervisor.sleeping.run())
    }
    await settle()
    yield world
    for task in running:
        task.cancel()
    await asyncio.wait(running)
    await world.supervisor.stop()
    assert world.running() == [], "something was not stopped"
    await settle()
    assert asyncio.all_tasks() == tasks, "something goes on"


def story(tell: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await tell()

    with asyncio.Runner(loop_factory=PatientLoop) as runner:
        runner.run(main())
