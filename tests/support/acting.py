"""The acts of a target among fakes."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.keys import KeyRing, KeyStore
from centralized_ml_api.local.run.acts import Acts
from centralized_ml_api.local.run.grants import GRANTS_FILE, Grants
from centralized_ml_api.local.run.options import Terminal
from centralized_ml_api.local.run.reload import Reloader
from centralized_ml_api.local.run.supervisor import Supervisor
from centralized_ml_api.local.sleep.wake_times import WAKE_TIMES_FILE, WakeTimes
from centralized_ml_api.organizer.journal import Journal
from centralized_ml_api.plan.engines import UrlServing
from centralized_ml_api.plan.event import EventPlan, JoinPlan, Spending, TeamPlan
from centralized_ml_api.plan.types import SleepPlan
from support.fake_target import NOON, FakeGateway, FakeLink, FakeService, HandClock, entry, plan

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from centralized_ml_api.local.run.specs import ServiceSpec
    from centralized_ml_api.local.supervision.service import ServiceState

TEAM = TeamPlan("red", None, None, None, spending=Spending(nanodollars=2 * 10**9))
EVENT = EventPlan(teams=(TEAM,), join=JoinPlan(3, TEAM))


class World:
    """The acts of a target among fakes. New services are in the state `begins`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.time = HandClock()
        self.gateway = FakeGateway()
        self.made: list[FakeService] = []
        self.begins: ServiceState = "ready"
        self.supervisor = Supervisor(
            self.gateway,
            KeyRing(KeyStore(folder), self.time.clock),
            self.make,
            link=FakeLink(),
            times=WakeTimes(folder / WAKE_TIMES_FILE),
            show=lambda: None,
            fail=lambda _: None,
            clock=self.time.clock,
            grants=Grants(folder / GRANTS_FILE, NOON),
        )
        terminal = Terminal(lambda _: None, lambda _: None, lambda _: None)
        self.reloader = Reloader(folder / "models.json", self.supervisor, terminal, lambda _: None)
        self.config = folder / "models.json"
        self.config.write_text('{"models": [], "event": {"ends": "2030-06-01T18:00:00+02:00"}} // ours')
        self.acts = Acts(self.supervisor, self.reloader, folder, self.time.clock)

    def make(self, spec: ServiceSpec, changed: Callable[[], None]) -> FakeService:
        service = FakeService(spec, changed, state=self.begins)
        service.detail = "no memory" if self.begins == "failed" else ""
        self.made.append(service)
        return service

    async def do(self, act: str, **wanted: Any) -> dict[str, Any]:
        return await self.acts.do(act, wanted, "screen")

    @property
    def journal(self) -> list[tuple[str, str, str]]:
        """What was done, the first first; all of it on the screen."""
        deeds = Journal(self.folder).load(99)[::-1]
        assert {deed.by for deed in deeds} <= {"screen"}
        return [(deed.act, deed.subject, deed.detail) for deed in deeds]


@asynccontextmanager
async def serving(folder: Path, event: EventPlan = EVENT) -> AsyncIterator[World]:
    world = World(folder)
    asleep = replace(entry("lazy"), sleep=SleepPlan(on_call=True))
    elsewhere = entry("far", UrlServing("http://127.0.0.1:1", None))
    await world.supervisor.start(plan(entry("a"), asleep, elsewhere, event=event))
    tasks = [asyncio.create_task(world.supervisor.run())]
    try:
        yield world
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await world.supervisor.stop()
