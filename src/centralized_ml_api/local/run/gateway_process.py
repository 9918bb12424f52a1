"""Keeps one Envoy running: starts it, tells it what to serve, restarts it when it ends, drains it to stop."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from centralized_ml_api.commands import command, state_flags
from centralized_ml_api.errors import StartError
from centralized_ml_api.local.envoy.translator import TRANSLATOR_CLUSTER
from centralized_ml_api.local.gateway import Gateway
from centralized_ml_api.local.machine.clock import WALL_CLOCK, Clock
from centralized_ml_api.local.machine.inotify import FILES_OF_THE_GATEWAY, count_inotify_instances
from centralized_ml_api.local.machine.ports import check_port
from centralized_ml_api.local.supervision.process import Process, start_process
from centralized_ml_api.local.supervision.restart_policy import RestartPolicy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from centralized_ml_api.local.envoy import EnvoyGateway
    from centralized_ml_api.local.gateway import ExternalUpstream, Upstream
    from centralized_ml_api.local.launch import Launch
    from centralized_ml_api.local.machine.inotify import InotifyInstances
    from centralized_ml_api.local.run.admission_process import SupervisedAdmission
    from centralized_ml_api.local.run.quotas import QuotaBook
    from centralized_ml_api.local.run.translator_process import SupervisedTranslator
    from centralized_ml_api.local.supervision.process import ServerLog

START_SECONDS = 60.0
STOP_GRACE_SECONDS = 3.0
DRAIN_SECONDS = 5.0
LAST_LINES = 8
IDLE_LOOK_SECONDS = 1.0
IDLE_LOOKS = 5
"""How often in a row nobody must call the translator, before it ends with the last route that needs it."""


class SupervisedGateway:
    """The gateway on one address. Call `start` first, or `begin` and `wait_started`, then `run` in a task.

    `trouble` says why the gateway does not run now, and is empty while it does.

    Args:
        envoy: Translates what is served into Envoy's configuration.
        log: Takes Envoy's output.
        address: The host and port on which Envoy listens.
        quotas: Are counted anew at every start, because Envoy forgets what it has counted.
        admission: Is started anew with every Envoy: the calls that it knows of are over.
        translator: Is started with every Envoy that needs it, and with the first route that does; ends once
            no route does and no call is under way.
        changed: Called when `trouble` changes.
        clock: Waits between a crash and the next start, and measures how long Envoy ran.
        start_process: Starts Envoy's process.
        count_instances: Counts the inotify instances of this user, of which Envoy needs some.
    """

    def __init__(
        self,
        envoy: EnvoyGateway,
        log: ServerLog,
        address: tuple[str, int],
        *,
        quotas: QuotaBook,
        admission: SupervisedAdmission,
        translator: SupervisedTranslator,
        changed: Callable[[], None],
        clock: Clock = WALL_CLOCK,
        start_process: Callable[[Launch, ServerLog], Awaitable[Process]] = start_process,
        count_instances: Callable[[], InotifyInstances | None] = count_inotify_instances,
    ) -> None:
        self.trouble = ""
        self._envoy = envoy
        self._log = log
        self._address = address
        self._quotas = quotas
        self._admission = admission
        self._translator = translator
        self._changed = changed
        self._clock = clock
        self._start_process = start_process
        self._count_instances = count_instances
        self._served = Gateway(upstreams=(), routes=())
        self._process: Process | None = None
        self._starting: Process | None = None
        self._needs_translator = False
        self._translating = asyncio.Lock()
        self._ending_translator: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Starts Envoy and waits until it listens.

        Raises:
            StartError: Envoy cannot be started, or does not come up; see `wait_started`.
        """
        await self.begin()
        await self.wait_started()

    async def begin(self) -> None:
        """Starts Envoy and what it works with; does not wait for them. `stop` ends them from now on.

        Raises:
            StartError: One of them cannot be started.
        """
        self._log.forget()
        self._quotas.forget()  # what the Envoy before has counted is gone with it
        quotas = await self._quotas.take_stock(self._served.teams)
        await self._admission.start()
        if self._served.translates:
            await self._translator.start()
        self._needs_translator = self._served.translates
        launch = self._envoy.launch(replace(self._served, quotas=quotas))
        self._starting = await self._start_process(launch, self._log)

    async def wait_started(self) -> None:
        """Waits until Envoy, which `begin` has started, listens.

        Raises:
            StartError: Envoy does not come up, and is ended. The message says who holds its port, or has its
                last lines and whether it may lack inotify instances.
        """
        process, self._starting = self._starting, None
        if process is None:
            raise RuntimeError("no Envoy has been started")
        started = asyncio.create_task(self._envoy.wait_started(START_SECONDS))
        ended = asyncio.create_task(process.wait())
        try:
            await asyncio.wait({started, ended}, return_when=asyncio.FIRST_COMPLETED)
            self._check_started(started, ended)
            await self._admission.wait_ready()
            if self._served.translates:
                await self._keep_translator()  # the first route that needs it may have come meanwhile
                await self._translator.wait_ready()
        except BaseException:
            await process.stop(STOP_GRACE_SECONDS)
            raise
        finally:
            for task in (started, ended):
                task.cancel()
            await asyncio.wait({started, ended})
        self._process = process

    async def run(self) -> None:
        """Restarts Envoy whenever it ends, with what it served, after growing delays; until cancelled."""
        policy = RestartPolicy()
        while True:
            started = self._clock.monotonic()
            if self._process is not None:
                status = await self._process.wait()
                self._process = None
                self._say_trouble(f"the gateway ended with status {status}; starting it again")
            policy = policy.after_crash(self._clock.monotonic() - started)
            await self._clock.sleep(policy.delay_seconds)
            try:
                await self.start()
            except StartError as error:
                self._say_trouble(error.message)
            else:
                self._say_trouble("")

    async def restart(self) -> None:
        """Ends Envoy; `run` starts it again."""
        if self._process is not None:
            await self._process.stop(STOP_GRACE_SECONDS)

    async def apply(self, gateway: Gateway, reached: Callable[[], None] = lambda: None) -> None:
        """Makes Envoy serve `gateway`; returns when it does.

        Args:
            gateway: What to serve.
            reached: Called when calls reach its servers, if that is so before everything else is known.

        Raises:
            StartError: Envoy refuses it, and goes on serving what it had; or the translator does not start.
        """
        quotas = await self._quotas.take_stock(gateway.teams)
        if gateway.translates and self._process is not None:
            await self._keep_translator()
        await self._envoy.apply(replace(gateway, quotas=quotas), reached)
        self._served = gateway
        self._needs_translator = gateway.translates
        if not gateway.translates and self._translator.is_wanted and self._ending_translator is None:
            self._ending_translator = asyncio.create_task(self._end_translator())

    async def move(self, upstreams: Iterable[Upstream | ExternalUpstream]) -> bool:
        """Lets calls reach these upstreams where they are now, as `EnvoyGateway.move` does."""
        return await self._envoy.move(upstreams)

    async def _keep_translator(self) -> None:
        """Starts the translator, unless it runs."""
        async with self._translating:
            self._needs_translator = True
            if not self._translator.is_wanted:
                await self._translator.start()
                await self._translator.wait_ready()

    async def _end_translator(self) -> None:
        """Ends the translator when no call is under way to it, unless a route needs it by then."""
        try:
            idle_looks = 0  # several in a row: Envoy's workers take new routes a moment after Envoy says so
            while idle_looks < IDLE_LOOKS and not self._needs_translator:
                await self._clock.sleep(IDLE_LOOK_SECONDS)
                is_idle = await self._envoy.active_requests(TRANSLATOR_CLUSTER) == 0
                idle_looks = idle_looks + 1 if is_idle else 0
            async with self._translating:
                if not self._needs_translator:
                    await self._translator.stop()
        finally:
            self._ending_translator = None

    async def active_requests(self, upstream: str) -> int | None:
        """Returns how many calls are under way to that upstream; None if Envoy does not say."""
        return await self._envoy.active_requests(upstream)

    async def traffic(self) -> str:
        """Returns what was called so far, as Envoy tells Prometheus.

        Raises:
            StartError: Envoy does not run or does not answer.
        """
        return await self._envoy.traffic()

    async def reopen_logs(self) -> None:
        """Makes Envoy open its access log anew after a rename; one that is starting does so by itself."""
        with contextlib.suppress(StartError):
            await self._envoy.reopen_logs()

    async def stop(self) -> None:
        """Takes no new calls, waits a little for those under way, then ends Envoy."""
        process, self._process, self._starting = self._process or self._starting, None, None
        with contextlib.suppress(StartError, asyncio.CancelledError):
            await self._envoy.drain(DRAIN_SECONDS)
        if process is not None:
            await process.stop(STOP_GRACE_SECONDS)
        if self._ending_translator is not None:
            self._ending_translator.cancel()
        await self._admission.stop()
        await self._translator.stop()

    def _say_trouble(self, trouble: str) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            self._changed()

    def _check_started(self, started: asyncio.Task[int], ended: asyncio.Task[int]) -> None:
        if started.done():
            started.result()
            return
        check_port(*self._address)  # says who holds it
        lines = "\n".join(f"    {line}" for line in self._log.last_lines(LAST_LINES))
        message = f"the gateway ended with status {ended.result()}; its last lines:\n{lines}"
        fix = f"the whole log: {command('logs', 'gateway', *state_flags(self._log.path.parents[1]))}"
        needed = FILES_OF_THE_GATEWAY + sum(upstream.has_file for upstream in self._served.upstreams)
        instances = self._count_instances()
        if instances is not None and not instances.suffice(needed):
            message += f"\nit may not be able to watch its files: {instances.describe(needed)}"
            fix = f"{instances.fix}\n  {fix}"
        raise StartError(message, fix=fix)
