"""Keeps what the plan asks for running, tells the gateway what is ready, and changes to another plan.

Everything runs in one event loop, and each part of the state has one writer:

    _plan, _desired, _known   `start`, then `change_to`, one change at a time: its caller, `Reloader`, holds
                              the one lock. Both go through `_switch_to`, which never waits midway; `start`
                              alone learns `_known` a moment later
    _registry                 the same: names change hands only in `_switch_to`
    _retiring                 `_switch_to` adds services that lost their names, and takes them back when the
                              gateway refuses; `_publish` lets them finish once the gateway has no route to
                              them; each leaves when it has ended
    _told_ready, _told_start  `_publish_now`: what the gateway knows, ready entries and the start of the event
    teams                     the same: which teams the gateway knows; `run`: what was said of their keys
    _fault                    `run`: what was said last, because nothing is said twice

Every other method reads, and `note_change` asks `run` to publish anew.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from centralized_ml_api.api.entry_details import NOTHING_KNOWN, Known, load_known
from centralized_ml_api.errors import MlApiError, StartError
from centralized_ml_api.local.machine.clock import WALL_CLOCK, Clock
from centralized_ml_api.local.run.change import Reloaded, decide_change
from centralized_ml_api.local.run.compose import build_gateway
from centralized_ml_api.local.run.entry_statuses import entry_statuses
from centralized_ml_api.local.run.notices import Notices
from centralized_ml_api.local.run.registry import Registry, Retirement, Running, stop_services, until_seen
from centralized_ml_api.local.run.sleeping import Sleeping
from centralized_ml_api.local.run.specs import DesiredState, build_desired_state, service_names, services_of
from centralized_ml_api.local.run.start_services import find_kept_awake, find_to_start, start_services
from centralized_ml_api.local.run.teams import Teams
from centralized_ml_api.plan.types import GATEWAY_TIMEOUT_SECONDS, ApiPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from centralized_ml_api.local.gateway import Doors
    from centralized_ml_api.local.keys import KeyRing
    from centralized_ml_api.local.run.gateway_process import SupervisedGateway
    from centralized_ml_api.local.run.grants import Grants
    from centralized_ml_api.local.run.sleepers_link import SleepersLink
    from centralized_ml_api.local.run.specs import ServiceSpec
    from centralized_ml_api.local.sleep.wake_times import WakeTimes
    from centralized_ml_api.local.status import EntryStatus
    from centralized_ml_api.local.supervision.service import Service

RETRY_SECONDS = 2.0


class Supervisor:
    """Owns the services. `run` publishes every change to the gateway; `stop` ends everything.

    `sleeping` are the entries that may sleep, `teams` those that may call; `notices` are for all.

    Args:
        gateway: Is told what is ready.
        keys: The keys of the teams.
        make: Makes the service of a spec, which calls its second argument after each change of its report.
        link: Reaches the admission service, which holds the calls of models that sleep.
        times: How long models took to wake.
        call_seconds: How long a call waits for its answer.
        show: Called when `entries` or `notes` may be others than before, and the gateway knows.
        fail: Takes an error to tell the user: the gateway refuses something, the keys cannot be read.
        clock: Waits before what the gateway refused is tried again, and while services retire.
        doors: Who answers in this process.
        grants: What teams may use on top of their limits.
        authority: The fingerprint of the API's own certificate authority; empty without one.
    """

    def __init__(
        self,
        gateway: SupervisedGateway,
        keys: KeyRing,
        make: Callable[[ServiceSpec, Callable[[], None]], Service],
        *,
        link: SleepersLink,
        times: WakeTimes,
        call_seconds: float = GATEWAY_TIMEOUT_SECONDS,
        show: Callable[[], None],
        fail: Callable[[MlApiError], None],
        clock: Clock = WALL_CLOCK,
        doors: Doors | None = None,
        grants: Grants | None = None,
        authority: str = "",
    ) -> None:
        self._gateway = gateway
        self.teams = Teams(keys, fail, grants)
        self.notices = Notices()
        self._show, self._fail, self._clock = show, fail, clock
        self._doors, self._authority = doors, authority
        self._began = int(clock.now().timestamp())
        self._plan = ApiPlan((), ())
        self._desired = DesiredState({}, {}, ())
        self._known = NOTHING_KNOWN
        self._changed = asyncio.Event()
        self._registry = Registry(lambda spec: make(spec, self.note_change), self.note_change)
        self._retiring = Retirement(gateway.active_requests, self.note_change, clock)
        self.sleeping = Sleeping(
            link,
            self._services,
            gateway.active_requests,
            lambda: self._retiring.services,
            times,
            changed=self._changed.set,
            call_seconds=call_seconds,
            clock=clock,
        )
        self._told_ready: frozenset[str] = frozenset()
        self._told_start: datetime | None = None
        self._fault = ""
        self._publishing = asyncio.Lock()
        self._settled = asyncio.Condition()
        self._retry: asyncio.Task[None] | None = None

    @property
    def plan(self) -> ApiPlan:
        """The plan that is served now, with the teams that have joined and the limits that were raised."""
        return self.teams.add_joined(self._plan)

    async def is_applied(self, plan: ApiPlan) -> bool:
        """Returns whether a plan and the code that it runs are what is served."""
        if (plan.deployments, plan.event) != (self._plan.deployments, self._plan.event):
            return False
        desired = await asyncio.to_thread(build_desired_state, plan)
        return all(
            (running := self._registry.find(name)) is not None and running.spec == spec
            for name, spec in desired.specs.items()
        )

    @property
    def told_start(self) -> datetime | None:
        """The start of the event that the gateway waits for; None where keys work."""
        return self._told_start

    @property
    def notes(self) -> tuple[str, ...]:
        """What the config asks for and this machine does not do, or not yet, in sentences."""
        untold = [f"the gateway serves what it served before: {why}" for why in self._fault.splitlines()[:1]]
        said = self.notices.word(entry.name for entry in self._plan.deployments)
        return (*said, *self._plan.not_acted_on, *self._desired.notes, *self.teams.notes, *untold)

    def entries(self) -> tuple[EntryStatus, ...]:
        """Returns how every entry is now, in config order.

        One whose servers are ready is still starting until the gateway knows: otherwise somebody might call
        it on our word and be refused.
        """
        return tuple(
            replace(status, state="starting")
            if status.state == "ready" and status.name not in self._told_ready
            else status
            for status in entry_statuses(
                self._plan, self._desired.refused, self._registry.find, self.sleeping.view
            )
        )

    def find(self, name: str) -> Running | None:
        """Returns the running service of that name."""
        return self._registry.find(name)

    async def admit(self, name: str, seconds: float) -> None:
        """Holds a call that does not pass the gateway until its model is awake; see `Sleeping.admit`."""
        await self.sleeping.admit(name, seconds)

    def upstreams(self) -> dict[str, tuple[str, ...]]:
        """Returns, by entry in config order, the gateway's names for every service behind the entry."""
        return {
            entry.name: tuple(
                running.upstream for name in services_of(entry) if (running := self._registry.find(name))
            )
            for entry in self._plan.deployments
        }

    def why_refused(self, name: str) -> str:
        """Returns why an entry is not served here; empty when it is."""
        return self._desired.refused.get(name, "")

    def note_change(self) -> None:
        """Asks `run` to publish: the gateway must know something new."""
        self._changed.set()
        self.sleeping.note_news()

    async def start(self, plan: ApiPlan) -> None:
        """Starts everything the plan asks for; does not wait until it is ready.

        Raises:
            StartError: The plan has teams, and their keys cannot be read or written.
        """
        await self.teams.use(plan)
        desired = await asyncio.to_thread(build_desired_state, plan)
        started = start_services(
            self._registry, plan, list(desired.specs.values()), self._services, is_first=True
        )
        self._switch_to(plan, desired, NOTHING_KNOWN, started)
        self.sleeping.adopt(plan.deployments, plan.event.hours)
        self._known = await asyncio.to_thread(load_known, plan)
        await until_seen(started, self._changed)
        await self.publish()  # before the gateway starts: it must never serve an API without entries
        self.note_change()

    async def run(self) -> None:
        """Publishes every change until cancelled. A refusal of the gateway is told, and tried again later."""
        while True:
            await self._changed.wait()
            await self.sleeping.until_launched()  # to tell takes processor time that their start needs
            self._changed.clear()
            async with self._settled:
                self._settled.notify_all()
            self.teams.tell_trouble()
            await self._publish_or_try_again()
            if not self._changed.is_set():  # otherwise the gateway does not know yet what we would show
                self._show()

    async def restart(self, name: str) -> Reloaded:
        """Starts the services of an entry anew, as `change_to` does; raises what it does."""
        return await self.change_to(self._plan, again=name)

    async def change_to(self, plan: ApiPlan, *, again: str = "") -> Reloaded:
        """Serves another plan without dropping a call. The caller makes one change at a time.

        What is new or changed, and the entry `again`, starts beside the old. Once it is ready, the routes
        move, all at once; the old services end when their last calls are over. An entry of which a part does
        not start stays as it was.

        Raises:
            StartError: The gateway refuses the new routes; everything stays as it was.
        """
        # In a thread: it may look at files and ask web servers for sizes.
        desired = await asyncio.to_thread(build_desired_state, plan)
        specs = find_to_start(plan, desired, self._registry.find, again=again)
        fresh = start_services(self._registry, plan, specs, self._services)
        try:
            settling = [*fresh, *find_kept_awake(self._plan, plan, self._services)]
            async with self._settled:
                await self._settled.wait_for(lambda: all(running.settled for running in settling))
            by_name = {running.spec.name: running for running in fresh}
            change = decide_change(self._plan, plan, self._registry.find, by_name)
            kept = {failure.name for failure in change.reloaded.kept}
            await stop_services(running for running in fresh if running.spec.entry in kept)
            plan = replace(plan, deployments=change.deployments)
            known = await asyncio.to_thread(load_known, plan)
        except BaseException:
            await stop_services(fresh)
            raise
        started = [running for running in fresh if running.spec.entry not in kept]
        async with self._publishing:  # nobody else publishes what may be taken back
            await self.sleeping.hold(running.spec.entry for running in started if running.is_asleep)
            switch_back = self._switch_to(plan, desired, known, started)
            try:
                await self._publish_now()
            except StartError:
                switch_back()
                self.sleeping.release()
                self.note_change()  # of several files that the gateway reads, it may have taken some
                await stop_services(started)
                raise
        self.sleeping.adopt(plan.deployments, plan.event.hours)
        self.note_change()
        return change.reloaded

    async def stop(self) -> None:
        """Ends every service, also those still finishing calls; returns when all are gone."""
        await asyncio.gather(self._registry.stop_all(), self._retiring.stop())

    def _services(self, name: str) -> tuple[Running, ...]:
        """Returns the services behind an entry that run or sleep."""
        return tuple(filter(None, map(self._registry.find, service_names(name))))

    def _switch_to(
        self, plan: ApiPlan, desired: DesiredState, known: Known, started: Sequence[Running]
    ) -> Callable[[], None]:
        """Gives the started services their names; those that no entry of the plan uses any more retire.

        Returns:
            What switches back, as long as nothing was published.
        """
        before = self._plan, self._desired, self._known
        used = {
            name
            for entry in plan.deployments
            if entry.name not in desired.refused
            for name in services_of(entry)
        }
        replaced = [old for running in started if (old := self._registry.install(running))]
        retiring = [*replaced, *self._registry.remove_all_but(used)]
        awake = [running for running in retiring if not running.is_asleep]
        self._retiring.add(awake)
        self._plan, self._desired, self._known = plan, desired, known

        def switch_back() -> None:
            self._plan, self._desired, self._known = before
            self._retiring.take_back(awake)
            self._registry.remove({running.spec.name for running in started})
            for running in retiring:
                self._registry.install(running)

        return switch_back

    async def _publish_or_try_again(self) -> None:
        try:
            await self.publish()
        except StartError as error:
            if str(error) != self._fault:
                self._fail(error)
            self._fault = str(error)
            self._retry = asyncio.create_task(self._note_change_later())
        else:
            self._fault = ""

    async def _note_change_later(self) -> None:
        await self._clock.sleep(RETRY_SECONDS)
        self.note_change()

    async def publish(self) -> None:
        """Tells the gateway how everything is now; raises StartError where it refuses."""
        async with self._publishing:
            await self.sleeping.let_woken_go_on(self._gateway.move)
            await self._publish_now()

    async def _publish_now(self) -> None:
        """Tells the gateway what is ready; then ends what no route leads to, once its calls are over."""
        retiring = self._retiring.services  # what retires meanwhile still has its route
        keys = await self.teams.use(self._plan)
        awake = self.sleeping.find_awake()
        gateway = build_gateway(
            self.teams.add_joined(self._plan),
            self._desired.refused,
            self._registry.find,
            retiring,
            translates=self._desired.translates,
            known=replace(self._known, authority=self._authority, created=self._began),
            keys=keys,
            starts=self._plan.event.coming_start(self._clock.now()),
            sleeping=self.sleeping.view,
            doors=self._doors,
            notices=self.notices,
        )
        await self._gateway.apply(gateway, lambda: self.sleeping.note_published(awake))
        self._told_start = gateway.starts
        unready = {name for name, _ in gateway.unready}
        self._told_ready = frozenset(route.name for route in gateway.routes if route.name not in unready)
        await self.teams.note_told(gateway)
        self.sleeping.note_published(awake)
        self._retiring.finish(retiring)
