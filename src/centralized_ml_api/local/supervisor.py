"""Keeps what the plan wants running, tells the gateway what is ready, and changes to another plan."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from centralized_ml_api.errors import MlApiError, StartError
from centralized_ml_api.local.compose import build_gateway, entry_statuses
from centralized_ml_api.local.registry import Registry
from centralized_ml_api.local.specs import Wanted, build_wanted
from centralized_ml_api.plan.model import ApiPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from centralized_ml_api.local.gateway_keeper import GatewayKeeper
    from centralized_ml_api.local.registry import Running
    from centralized_ml_api.local.specs import ServiceSpec
    from centralized_ml_api.local.status import EntryStatus
    from centralized_ml_api.local.supervision.service import Service

RETIRE_SECONDS = 30.0
RETIRE_LOOK_SECONDS = 0.2
RETIRE_QUIET_LOOKS = 5


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What a change of plan did, by service name; `kept` could not start anew, so the old one goes on."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    kept: tuple[tuple[str, str], ...] = ()


class Supervisor:
    """Owns the services. `run` publishes every change to the gateway; `stop` ends everything."""

    def __init__(
        self,
        gateway: GatewayKeeper,
        make: Callable[[ServiceSpec, Callable[[], None]], Service],
        *,
        show: Callable[[], None],
        fail: Callable[[MlApiError], None],
    ) -> None:
        self._gateway = gateway
        self._registry = Registry(lambda spec: make(spec, self._note_change))
        self._show = show
        self._fail = fail
        self._plan = ApiPlan((), ())
        self._wanted = Wanted({}, {}, ())
        self._retiring: set[Running] = set()
        self._finishing: list[asyncio.Task[None]] = []
        self._changed = asyncio.Event()
        self._settled = asyncio.Condition()
        self._changing_plan = asyncio.Lock()

    @property
    def plan(self) -> ApiPlan:
        """What is served now."""
        return self._plan

    @property
    def notes(self) -> tuple[str, ...]:
        """What the config asks for and this machine does not do."""
        return (*self._plan.not_acted_on, *self._wanted.notes)

    def entries(self) -> tuple[EntryStatus, ...]:
        """How every entry is now."""
        return entry_statuses(self._plan, self._wanted.refused, self._registry.find)

    def find(self, name: str) -> Running | None:
        """The running service of that name."""
        return self._registry.find(name)

    def why_refused(self, name: str) -> str:
        """Why an entry is not served here; empty when it is."""
        return self._wanted.refused.get(name, "")

    async def start(self, plan: ApiPlan) -> None:
        """Starts everything the plan wants; does not wait until it is ready."""
        self._plan, self._wanted = plan, await asyncio.to_thread(build_wanted, plan)
        for spec in self._wanted.specs.values():
            self._registry.install(self._registry.start(spec))
        self._note_change()

    async def run(self) -> None:
        """Publishes every change until cancelled. What the gateway refuses is said; it goes on as before."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            async with self._settled:
                self._settled.notify_all()
            try:
                await self._publish()
            except StartError as error:
                self._fail(error)
            self._show()

    async def change_to(self, plan: ApiPlan) -> Reloaded:
        """Serves another plan without dropping a call.

        What is new or changed is started beside the old; when it is ready the routes move, all at once; the
        old ones end when their last call is over.

        Raises:
            StartError: the gateway refuses the new routes.
        """
        async with self._changing_plan:
            wanted = await asyncio.to_thread(build_wanted, plan)  # it may look at files and ask for sizes
            fresh = [self._registry.start(spec) for spec in self._to_start(wanted)]
            await self._until_settled(fresh)
            replaced, reloaded = await self._install(fresh)
            gone = [name for name in self._names() if name not in wanted.specs]
            retired = [*replaced, *(one for name in gone if (one := self._registry.remove(name)))]
            self._plan, self._wanted = plan, wanted
            self._retiring |= set(retired)  # the gateway keeps them, but no route leads there any more
            await self._publish()
            self._finishing += [asyncio.create_task(self._finish(one)) for one in retired]
            self._note_change()
            return Reloaded(reloaded.added, reloaded.changed, tuple(gone), reloaded.kept)

    async def stop(self) -> None:
        """Ends every service, also those still finishing calls; returns when all are gone."""
        for task in self._finishing:
            task.cancel()
        retiring = [one.stop() for one in self._retiring]
        await asyncio.gather(self._registry.stop_all(), *retiring)

    def _names(self) -> list[str]:
        return [one.spec.name for one in self._registry.all()]

    def _to_start(self, wanted: Wanted) -> list[ServiceSpec]:
        return [
            spec
            for name, spec in wanted.specs.items()
            if (now := self._registry.find(name)) is None
            or now.spec != spec
            or now.service.report().state == "failed"
        ]

    async def _install(self, fresh: Iterable[Running]) -> tuple[list[Running], Reloaded]:
        """Gives the fresh services their names, unless one failed and an older one still serves."""
        replaced: list[Running] = []
        added: list[str] = []
        changed: list[str] = []
        kept: list[tuple[str, str]] = []
        for one in fresh:
            name, report = one.spec.name, one.service.report()
            before = self._registry.find(name)
            if before is None:
                self._registry.install(one)
                added.append(name)
            elif report.state == "failed" and before.service.report().state != "failed":
                await one.stop()
                kept.append((name, report.detail))
            else:
                self._registry.install(one)
                replaced.append(before)
                changed.append(name)
        return replaced, Reloaded(tuple(added), tuple(changed), (), tuple(kept))

    async def _until_settled(self, services: list[Running]) -> None:
        async with self._settled:
            await self._settled.wait_for(lambda: all(one.settled for one in services))

    async def _finish(self, running: Running) -> None:
        """Ends a service when its last call is over, then lets the gateway forget it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(RETIRE_SECONDS):
                await self._until_quiet(running)
        self._retiring.discard(running)
        await self._publish()
        await running.stop()

    async def _until_quiet(self, running: Running) -> None:
        """Several quiet looks in a row: Envoy's workers take new routes a moment after Envoy says so."""
        quiet = 0
        while quiet < RETIRE_QUIET_LOOKS:
            await asyncio.sleep(RETIRE_LOOK_SECONDS)
            quiet = 0 if await self._is_busy(running) else quiet + 1

    async def _is_busy(self, running: Running) -> bool:
        return running.calls.count > 0 or await self._gateway.active_requests(running.upstream) > 0

    async def _publish(self) -> None:
        gateway = build_gateway(self._plan, self._wanted.refused, self._registry.find, tuple(self._retiring))
        await self._gateway.apply(gateway)

    def _note_change(self) -> None:
        self._changed.set()
