"""A supervisor among fakes, which a test sets and looks at."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from centralized_ml_api.local.gateway import Door, Doors, Gateway, ServedRoute
from centralized_ml_api.local.keys import KeyRing, KeyStore
from centralized_ml_api.local.run.supervisor import Supervisor
from centralized_ml_api.local.sleep.wake_times import WAKE_TIMES_FILE, WakeTimes
from centralized_ml_api.plan.engines import CommandServing
from centralized_ml_api.plan.event import EventPlan, TeamPlan, Throttle
from support.fake_target import (
    FakeGateway,
    FakeLink,
    FakeService,
    HandClock,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from centralized_ml_api.errors import MlApiError
    from centralized_ml_api.local.run.specs import ServiceSpec
    from centralized_ml_api.local.supervision.service import ServiceState
    from centralized_ml_api.plan.types import ApiPlan

OTHER = CommandServing(("other",), ping="/ping", invocations="/other")
DOOR = Door(7777, "t0ken")
RED = EventPlan(teams=(TeamPlan("red", Throttle(5, 10), None, None),))


class World:
    """A supervisor among fakes. New services are in the state `begins`."""

    def __init__(self, folder: Path) -> None:
        self.time = HandClock()
        self.gateway = FakeGateway()
        self.link = FakeLink()
        self.keys = KeyRing(KeyStore(folder), self.time.clock)
        self.made: list[FakeService] = []
        self.begins: ServiceState = "ready"
        self.shown = 0
        self.failed: list[MlApiError] = []
        self.supervisor = Supervisor(
            self.gateway,
            self.keys,
            self.make,
            link=self.link,
            times=WakeTimes(folder / WAKE_TIMES_FILE),
            show=self.show,
            fail=self.failed.append,
            clock=self.time.clock,
            doors=Doors(DOOR),
        )

    def make(self, spec: ServiceSpec, changed: Callable[[], None]) -> FakeService:
        service = FakeService(spec, changed, state=self.begins)
        service.ports = (7000 + len(self.made),)
        self.made.append(service)
        return service

    def show(self) -> None:
        self.shown += 1

    @property
    def served(self) -> Gateway:
        """What the gateway was told last."""
        return self.gateway.applied[-1]

    @property
    def upstreams(self) -> list[str]:
        return [upstream.name for upstream in self.served.upstreams]

    @property
    def routes(self) -> dict[str, str]:
        """By entry, where its route leads; empty where it is refused."""
        return {
            route.name: route.upstream if isinstance(route, ServedRoute) else ""
            for route in self.served.routes
        }

    async def settle(self) -> None:
        """Until nothing more happens: the supervisor shows what it has published last."""
        shown, applied = -1, -1
        while (shown, applied) != (self.shown, len(self.gateway.applied)):
            shown, applied = self.shown, len(self.gateway.applied)
            for _ in range(20):
                await asyncio.sleep(0)
            await asyncio.sleep(0.002)  # threads that look at files and keys


@asynccontextmanager
async def serving(folder: Path, first: ApiPlan) -> AsyncIterator[World]:
    world = World(folder)
    await world.supervisor.start(first)
    running = asyncio.create_task(world.supervisor.run())
    await world.settle()
    yield world
    running.cancel()
    await asyncio.wait({running})
    await world.supervisor.stop()
    assert all(service.stopped for service in world.made), "something was not stopped"
