"""Which services run now, under which names, and how they come and go without dropping a call."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from centralized_ml_api.local.run.specs import ServiceSpec
from centralized_ml_api.local.supervision.service import SETTLED, Report, Service

if TYPE_CHECKING:
    from collections.abc import Callable, Container


class Calls:
    """Counts the calls under way that do not pass the gateway; used with `with`."""

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> None:
        """One more."""
        self.count += 1

    def __exit__(self, *_: object) -> None:
        """One less."""
        self.count -= 1


@dataclass(frozen=True, slots=True, eq=False)
class Running:
    """A service and what it was made from; `upstream` is its name at the gateway, never used again."""

    spec: ServiceSpec
    service: Service
    upstream: str
    task: asyncio.Task[None]
    calls: Calls = field(default_factory=Calls)

    def report(self) -> Report:
        """How the service is; one that ended by a fault of ours has failed."""
        if self.task.done() and not self.task.cancelled() and (fault := self.task.exception()):
            return Report("failed", f"unexpected: {fault!r}")
        return self.service.report()

    @property
    def settled(self) -> bool:
        """Whether its start is over, well or badly."""
        return self.report().state in SETTLED

    @property
    def failed(self) -> bool:
        """Whether it will not come back by itself."""
        return self.report().state == "failed"

    async def stop(self) -> None:
        """Ends it and waits until everything it started is gone."""
        self.task.cancel()
        await asyncio.wait({self.task})


class Registry:
    """The services by name, until others take their names; `ended` is called whenever one is over."""

    def __init__(self, make: Callable[[ServiceSpec], Service], ended: Callable[[], None]) -> None:
        self._make = make
        self._ended = ended
        self._running: dict[str, Running] = {}
        self._generation = 0

    def find(self, name: str) -> Running | None:
        """The service of that name, if one runs."""
        return self._running.get(name)

    def all(self) -> tuple[Running, ...]:
        """Every service, in no particular order."""
        return tuple(self._running.values())

    def start(self, spec: ServiceSpec) -> Running:
        """Starts a service without giving it its name yet."""
        self._generation += 1
        service = self._make(spec)
        task = asyncio.create_task(service.run())
        task.add_done_callback(lambda _: self._ended())
        return Running(spec, service, f"{spec.name}@{self._generation}", task)

    def install(self, running: Running) -> Running | None:
        """Gives it its name; returns the one that had it before, still running."""
        before = self._running.get(running.spec.name)
        self._running[running.spec.name] = running
        return before

    def remove_all_but(self, names: Container[str]) -> list[Running]:
        """Takes every other name away; returns the services that had them, still running."""
        gone = [name for name in self._running if name not in names]
        return [self._running.pop(name) for name in gone]

    async def stop_all(self) -> None:
        """Ends every service at once and waits until all are gone."""
        running, self._running = self.all(), {}
        await asyncio.gather(*(one.stop() for one in running))
