"""Keeps what the plan wants running, tells the gateway what is ready, and changes to another plan."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from centralized_ml_api.api.catalogue import NOTHING_KNOWN
from centralized_ml_api.api.known import load_known
from centralized_ml_api.errors import MlApiError, StartError
from centralized_ml_api.local.run.change import Change, Reloaded, decide_change
from centralized_ml_api.local.run.compose import build_gateway, entry_statuses
from centralized_ml_api.local.run.registry import Registry
from centralized_ml_api.local.run.specs import DesiredState, build_desired_state, services_of
from centralized_ml_api.plan.types import ApiPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from centralized_ml_api.local.keys import KeyRing
    from centralized_ml_api.local.run.gateway import GatewayKeeper
    from centralized_ml_api.local.run.registry import Running
    from centralized_ml_api.local.run.specs import ServiceSpec
    from centralized_ml_api.local.status import EntryStatus
    from centralized_ml_api.local.supervision.service import Service

RETIRE_SECONDS = 30.0
RETRY_SECONDS = 2.0
RETIRE_LOOK_SECONDS = 0.2
RETIRE_QUIET_LOOKS = 5


class Supervisor:
    """Owns the services. `run` publishes every change to the gateway; `stop` ends everything."""

    def __init__(
        self,
        gateway: GatewayKeeper,
        keys: KeyRing,
        make: Callable[[ServiceSpec, Callable[[], None]], Service],
        *,
        show: Callable[[], None],
        fail: Callable[[MlApiError], None],
    ) -> None:
        self._gateway = gateway
        self._keys = keys
        self._registry = Registry(lambda spec: make(spec, self.note_change), self.note_change)
        self._show = show
        self._fail = fail
        self._plan = ApiPlan((), ())
        self._wanted = DesiredState({}, {}, ())
        self._known = NOTHING_KNOWN
        self._retiring: dict[Running, asyncio.Task[None] | None] = {}
        self._fault = ""
        self._key_fault = ""
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
        trouble = self._keys.trouble
        told = (f"{trouble.message}; the keys of before go on to work",) if trouble else ()
        return (*self._plan.not_acted_on, *self._wanted.notes, *told)

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
        """Starts everything the plan wants; does not wait until it is ready.

        Raises:
            StartError: the plan has teams, and their keys cannot be read or written.
        """
        await self._keys.use(team.name for team in plan.event.teams)
        self._plan, self._wanted = plan, await asyncio.to_thread(build_desired_state, plan)
        for spec in self._wanted.specs.values():
            self._registry.install(self._registry.start(spec))
        self._known = await asyncio.to_thread(load_known, plan)
        await self._publish()  # the gateway has yet to start: it shall never know no entry
        self.note_change()

    async def run(self) -> None:
        """Publishes every change until cancelled. What the gateway refuses is said, and tried again later."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            async with self._settled:
                self._settled.notify_all()
            self._tell_trouble_with_keys()
            await self._publish_or_try_again()
            if not self._changed.is_set():  # else the gateway does not know yet what we would show
                self._show()

    async def change_to(self, plan: ApiPlan) -> Reloaded:
        """Serves another plan without dropping a call.

        What is new or changed is started beside the old; when it is ready the routes move, all at once; the
        old ones end when their last call is over. An entry of which a part does not start stays as it was.

        Raises:
            StartError: the gateway refuses the new routes.
        """
        async with self._changing_plan:
            # In a thread: it may look at files and ask web servers for sizes.
            wanted = await asyncio.to_thread(build_desired_state, plan)
            fresh = {spec.name: self._registry.start(spec) for spec in self._to_start(wanted)}
            try:
                await self._until_settled(fresh.values())
                change = decide_change(self._plan, plan, self._registry.find, fresh)
            except BaseException:
                await asyncio.gather(*(one.stop() for one in fresh.values()))
                raise
            await self._install(plan, wanted, change, fresh.values())
            await self._publish()
            self.note_change()
            return change.reloaded

    async def stop(self) -> None:
        """Ends every service, also those still finishing calls; returns when all are gone."""
        for task in self._retiring.values():
            if task is not None:
                task.cancel()
        retiring = [one.stop() for one in self._retiring]
        await asyncio.gather(self._registry.stop_all(), *retiring)

    def _to_start(self, wanted: DesiredState) -> list[ServiceSpec]:
        return [
            spec
            for name, spec in wanted.specs.items()
            if (now := self._registry.find(name)) is None or now.spec != spec or now.failed
        ]

    async def _install(
        self, plan: ApiPlan, wanted: DesiredState, change: Change, fresh: Iterable[Running]
    ) -> None:
        """Gives the fresh services their names, but for entries that are kept; what is unused ends."""
        kept = {failure.name for failure in change.reloaded.kept}
        refused = {name: reason for name, reason in wanted.refused.items() if name not in kept}
        used = {name for one in change.deployments if one.name not in refused for name in services_of(one)}
        for one in fresh:
            if one.spec.entry in kept:
                await one.stop()
            elif before := self._registry.install(one):
                self._retiring[before] = None
        for gone in self._registry.remove_all_but(used):
            self._retiring[gone] = None
        self._plan = replace(plan, deployments=change.deployments)
        self._wanted = replace(wanted, refused=refused)
        self._known = await asyncio.to_thread(load_known, self._plan)

    async def _until_settled(self, services: Collection[Running]) -> None:
        async with self._settled:
            await self._settled.wait_for(lambda: all(one.settled for one in services))

    def _tell_trouble_with_keys(self) -> None:
        trouble = self._keys.trouble
        if trouble and str(trouble) != self._key_fault:
            self._fail(trouble)
        self._key_fault = str(trouble or "")

    async def _publish_or_try_again(self) -> None:
        try:
            await self._publish()
        except StartError as error:
            if str(error) != self._fault:
                self._fail(error)
            self._fault = str(error)
            asyncio.get_running_loop().call_later(RETRY_SECONDS, self.note_change)

    async def _publish(self) -> None:
        """Tells the gateway what is ready. What has no route any more then ends when its calls are over."""
        retiring = tuple(self._retiring)  # one that retires meanwhile still has its route
        keys = await self._keys.use(team.name for team in self._plan.event.teams)
        await self._gateway.apply(
            build_gateway(
                self._plan,
                self._wanted.refused,
                self._registry.find,
                retiring,
                known=self._known,
                keys=keys,
            )
        )
        self._fault = ""
        for running in retiring:
            if running in self._retiring and self._retiring[running] is None:
                self._retiring[running] = asyncio.create_task(self._finish(running))

    async def _finish(self, running: Running) -> None:
        """Ends a service when its last call is over, then lets the gateway forget it."""
        try:
            async with asyncio.timeout(RETIRE_SECONDS):
                await self._until_quiet(running)
        except TimeoutError:
            pass  # its callers have long had their 504
        finally:
            await running.stop()
            self._retiring.pop(running, None)
            self.note_change()

    async def _until_quiet(self, running: Running) -> None:
        """Several quiet looks in a row: Envoy's workers take new routes a moment after Envoy says so."""
        quiet = 0
        while quiet < RETIRE_QUIET_LOOKS:
            await asyncio.sleep(RETIRE_LOOK_SECONDS)
            quiet = 0 if await self._is_busy(running) else quiet + 1

    async def _is_busy(self, running: Running) -> bool:
        return running.calls.count > 0 or await self._gateway.active_requests(running.upstream) > 0

    def note_change(self) -> None:
        """Something that the gateway must know is another one than before."""
        self._changed.set()
