"""Holds the services that run: under which names, and how they come and go without dropping a call."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.gateway import ExternalUpstream
from centralized_ml_api.local.supervision.service import SETTLED, Report, Service

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping

    from centralized_ml_api.local.machine.clock import Clock
    from centralized_ml_api.local.run.specs import ServiceSpec

RETIRE_SECONDS = 30.0
RETIRE_LOOK_SECONDS = 0.2
RETIRE_QUIET_LOOKS = 5

SEEN_SECONDS = 0.005
"""How long to wait, for each server elsewhere, until it is known whether it answers. Envoy needs more than
that for an entry, and would have to read all of them again."""


class Calls:
    """Counts the calls under way that do not pass the gateway; used with `with`.

    `changed` is called after each change.
    """

    def __init__(self) -> None:
        self.count = 0
        self.changed: Callable[[], None] = lambda: None

    def __enter__(self) -> None:
        """Counts a call that begins."""
        self.count += 1
        self.changed()

    def __exit__(self, *_: object) -> None:
        """Counts a call that ends."""
        self.count -= 1
        self.changed()


class Running:
    """A service and the spec it was made from; while it sleeps, none of its processes runs.

    `upstream`, its name at the gateway, is used again only by one that takes its place, where one of the two
    sleeps. `shares` is the group of its entry, empty for none. `calls` counts those under way that do not
    pass the gateway.

    Args:
        spec: The spec.
        service: The service, not yet running.
        upstream: Its name at the gateway.
        shares: The group of its entry.
        make: Makes the service anew when it wakes.
        ended: Called whenever the service has ended.
    """

    def __init__(
        self,
        spec: ServiceSpec,
        service: Service,
        upstream: str,
        *,
        shares: str = "",
        make: Callable[[ServiceSpec], Service],
        ended: Callable[[], None],
    ) -> None:
        self.spec = spec
        self.service = service
        self.upstream = upstream
        self.shares = shares
        self.calls = Calls()
        self._task: asyncio.Task[None] | None = None
        self._make = make
        self._ended = ended
        self._is_new = True
        self._is_stopping = False
        self._about: Mapping[str, Any] = {}
        self._failure: Report | None = None

    @property
    def is_asleep(self) -> bool:
        """Whether none of its processes runs."""
        return self._task is None

    @property
    def task(self) -> asyncio.Task[None]:
        """The task that serves.

        Raises:
            RuntimeError: It sleeps.
        """
        if self._task is None:
            raise RuntimeError(f"{self.upstream} sleeps")
        return self._task

    def wake(self) -> None:
        """Starts the service, if it does not run; does not wait until it is ready."""
        if self._task is not None:
            return
        if not self._is_new:
            self.service = self._make(self.spec)
        self._is_new, self._is_stopping, self._failure = False, False, None
        self._task = asyncio.create_task(self.service.run())
        self._task.add_done_callback(lambda _: self._ended())

    async def sleep(self) -> None:
        """Ends the service until it is woken, and waits until everything it started is gone."""
        report = self.report()
        self._failure = report if report.state == "failed" else None
        self._about = self.about()
        await self.stop()
        self._task = None
        self._ended()

    def report(self) -> Report:
        """Returns how the service is; one that a bug of ours ended has failed."""
        if self._task is None:
            return self._failure or Report("asleep", replicas=self.service.report().replicas)
        if self._task.done() and not self._task.cancelled() and (fault := self._task.exception()):
            return Report("failed", f"unexpected: {fault!r}")
        return self.service.report()

    def about(self) -> Mapping[str, Any]:
        """Returns how its server describes its model, or last did; empty if it never has."""
        return self.service.about() or self._about

    @property
    def settled(self) -> bool:
        """Whether its start is over, well or badly."""
        return self.report().state in SETTLED

    @property
    def failed(self) -> bool:
        """Whether it does not recover by itself."""
        return self.report().state == "failed"

    async def stop(self) -> None:
        """Ends the service and waits until everything it started is gone."""
        if self._task is None:
            return
        if not self._is_stopping:  # a second cancellation would interrupt what the first one ends
            self._is_stopping = True
            self._task.cancel()
        await asyncio.wait({self._task})


async def stop_services(services: Iterable[Running]) -> None:
    """Ends these services at the same time and waits until all are gone."""
    await asyncio.gather(*(running.stop() for running in services))


async def until_seen(services: Iterable[Running], changed: asyncio.Event) -> None:
    """Waits a moment for servers elsewhere: what the gateway starts with, nobody has to tell it.

    Servers of this machine begin to start, which takes longer than a gateway with few entries does.

    Args:
        services: Those that have been started.
        changed: Set by each change of any.
    """
    unseen = [
        running
        for running in services
        if isinstance(running.service.upstream(running.upstream), ExternalUpstream)
    ]
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SEEN_SECONDS * len(unseen)):
            while unseen:
                while unseen and unseen[-1].settled:
                    unseen.pop()
                if unseen:
                    changed.clear()
                    await changed.wait()


class Registry:
    """The services by name, until others take their names; `ended` is called whenever one has ended."""

    def __init__(self, make: Callable[[ServiceSpec], Service], ended: Callable[[], None]) -> None:
        self._make = make
        self._ended = ended
        self._running: dict[str, Running] = {}
        self._generation = 0

    def find(self, name: str) -> Running | None:
        """Returns the service of that name, if one runs."""
        return self._running.get(name)

    def start(self, spec: ServiceSpec, *, shares: str = "", asleep: bool = False) -> Running:
        """Starts a service without giving it its name yet; one that is `asleep` starts when it is woken.

        Args:
            spec: What is served.
            shares: The group of its entry; empty for none.
            asleep: Whether it waits until it is woken.
        """
        self._generation += 1
        upstream = f"{spec.name}@{self._generation}"
        running = Running(spec, self._make(spec), upstream, shares=shares, make=self._make, ended=self._ended)
        if not asleep:
            running.wake()
        return running

    def install(self, running: Running) -> Running | None:
        """Gives a service its name; returns the one that had the name before, still running.

        Where one of the two sleeps, it takes the upstream of the one before too: calls that wait have their
        route already, which leads there.
        """
        before = self._running.get(running.spec.name)
        if before is not None and (running.is_asleep or before.is_asleep):
            running.upstream = before.upstream
        self._running[running.spec.name] = running
        return before

    def remove_all_but(self, names: Collection[str]) -> list[Running]:
        """Takes every other name away; returns the services that had them, still running."""
        gone = [name for name in self._running if name not in names]
        return [self._running.pop(name) for name in gone]

    def remove(self, names: Collection[str]) -> None:
        """Takes these names away from their services, which go on running."""
        for name in names:
            self._running.pop(name, None)

    async def stop_all(self) -> None:
        """Ends every service and waits until all are gone."""
        await stop_services(self.remove_all_but(()))


class Retirement:
    """The services that lost their names: each ends once its last call is over.

    Args:
        active_requests: Returns how many calls the gateway has under way to an upstream; None if unknown.
        ended: Called whenever a service has ended: the gateway can forget it.
        clock: Waits between two looks.
    """

    def __init__(
        self, active_requests: Callable[[str], Awaitable[int | None]], ended: Callable[[], None], clock: Clock
    ) -> None:
        self._active_requests = active_requests
        self._ended = ended
        self._clock = clock
        self._finishing: dict[Running, asyncio.Task[None] | None] = {}

    @property
    def services(self) -> tuple[Running, ...]:
        """Those that have not ended yet, the first to retire first."""
        return tuple(self._finishing)

    def add(self, services: Iterable[Running]) -> None:
        """Lets services retire. They go on running until `finish` is told that no route leads to them."""
        self._finishing.update(dict.fromkeys(services))

    def take_back(self, services: Iterable[Running]) -> None:
        """Forgets services that are needed after all; none of them has begun to end."""
        for running in services:
            del self._finishing[running]

    def finish(self, services: Iterable[Running]) -> None:
        """Begins to end the services that no route of the gateway leads to any more."""
        for running in services:
            if running in self._finishing and self._finishing[running] is None:
                self._finishing[running] = asyncio.create_task(self._end_when_quiet(running))

    async def stop(self) -> None:
        """Ends every retiring service at once and waits until all are gone."""
        for task in self._finishing.values():
            if task is not None:
                task.cancel()
        await stop_services(self._finishing)

    async def _end_when_quiet(self, running: Running) -> None:
        """Gives up waiting after `RETIRE_SECONDS`: by then the gateway has answered the callers with 504."""
        try:
            deadline = self._clock.monotonic() + RETIRE_SECONDS
            quiet_looks = 0  # several in a row: Envoy's workers take new routes a moment after Envoy says so
            while quiet_looks < RETIRE_QUIET_LOOKS and self._clock.monotonic() < deadline:
                await self._clock.sleep(RETIRE_LOOK_SECONDS)
                quiet_looks = 0 if await self._is_busy(running) else quiet_looks + 1
        finally:
            await running.stop()
            self._finishing.pop(running, None)
            self._ended()

    async def _is_busy(self, running: Running) -> bool:
        return running.calls.count > 0 or await self._active_requests(running.upstream) != 0
