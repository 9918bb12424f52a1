"""Keeps one Envoy running: started, told what to serve, restarted when it dies, drained before it stops."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from centralized_ml_api.api.keys import hide_keys
from centralized_ml_api.errors import StartError
from centralized_ml_api.local.envoy import EnvoyGateway
from centralized_ml_api.local.gateway import Gateway
from centralized_ml_api.local.machine.ports import check_port
from centralized_ml_api.local.supervision.process import Process, ServerLog, start_process
from centralized_ml_api.local.supervision.restart import RestartPolicy

if TYPE_CHECKING:
    from collections.abc import Callable

    from centralized_ml_api.local.machine.state_folder import StateFolder
    from centralized_ml_api.local.run.quotas import QuotaBook

START_SECONDS = 20.0
STOP_GRACE_SECONDS = 3.0
DRAIN_SECONDS = 5.0


class GatewayKeeper:
    """The gateway of one state folder on one address. `start` first, then `run` in a task.

    `trouble` says why it does not run now, and is empty while it does; `changed` is called when that changes.
    """

    def __init__(
        self,
        state: StateFolder,
        host: str,
        port: int,
        *,
        timeout_seconds: float,
        quotas: QuotaBook,
        changed: Callable[[], None],
    ) -> None:
        self.access_log = state.logs / "access.log"
        self.trouble = ""
        self._host = host
        self._port = port
        self._changed = changed
        self._quotas = quotas
        self._served = Gateway(upstreams=(), routes=())
        self._envoy = EnvoyGateway(
            state.gateway,
            host=host,
            port=port,
            access_log=self.access_log,
            timeout_seconds=timeout_seconds,
        )
        self._log = ServerLog(state.logs / "gateway.log", hide=hide_keys)
        self._process: Process | None = None

    async def start(self) -> None:
        """Starts Envoy and waits until it listens.

        Raises:
            StartError: it does not come up, and is ended; the message says who holds its port, or has its
                last lines.
        """
        self._log.forget()
        self._quotas.forget()  # what the one before has counted is gone with it
        quotas = await self._quotas.take_stock(self._served.teams)
        launch = self._envoy.launch(replace(self._served, quotas=quotas))
        process = await start_process(launch, self._log)
        started = asyncio.create_task(self._envoy.wait_started(START_SECONDS))
        ended = asyncio.create_task(process.wait())
        try:
            await asyncio.wait({started, ended}, return_when=asyncio.FIRST_COMPLETED)
            self._check_started(started, ended)
        except BaseException:
            await process.stop(STOP_GRACE_SECONDS)
            raise
        finally:
            await _cancel(started, ended)
        self._process = process

    async def run(self) -> None:
        """Restarts Envoy whenever it ends, with what it served, later each time; until cancelled."""
        policy = RestartPolicy()
        while True:
            started = time.monotonic()
            if self._process is not None:
                status = await self._process.wait()
                self._process = None
                self._say_trouble(f"the gateway ended with status {status}; starting it again")
            policy = policy.after_crash(time.monotonic() - started)
            await asyncio.sleep(policy.delay_seconds)
            try:
                await self.start()
            except StartError as error:
                self._say_trouble(error.message)
            else:
                self._say_trouble("")

    async def restart(self) -> None:
        """Ends Envoy; `run` starts it anew."""
        if self._process is not None:
            await self._process.stop(STOP_GRACE_SECONDS)

    def _say_trouble(self, trouble: str) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            self._changed()

    async def apply(self, gateway: Gateway) -> None:
        """Makes Envoy serve `gateway`; returns when it does.

        Raises:
            StartError: Envoy refuses it. It goes on serving what it had.
        """
        quotas = await self._quotas.take_stock(gateway.teams)
        await self._envoy.apply(replace(gateway, quotas=quotas))
        self._served = gateway

    async def active_requests(self, upstream: str) -> int:
        """How many calls are under way to that upstream."""
        return await self._envoy.active_requests(upstream)

    async def traffic(self) -> str:
        """What was called so far, as Envoy tells Prometheus.

        Raises:
            StartError: Envoy does not run or does not answer.
        """
        return await self._envoy.traffic()

    async def reopen_logs(self) -> None:
        """After the access log was renamed; an Envoy that is just restarting opens it anew by itself."""
        with contextlib.suppress(StartError):
            await self._envoy.reopen_logs()

    async def stop(self) -> None:
        """Takes no new calls, waits a little for those under way, ends Envoy."""
        process, self._process = self._process, None
        with contextlib.suppress(StartError, asyncio.CancelledError):
            await self._envoy.drain(DRAIN_SECONDS)
        if process is not None:
            await process.stop(STOP_GRACE_SECONDS)

    def _check_started(self, started: asyncio.Task[int], ended: asyncio.Task[int]) -> None:
        if not started.done():
            raise self._not_started(f"ended with status {ended.result()}")
        started.result()

    def _not_started(self, reason: str) -> StartError:
        try:
            check_port(self._host, self._port)
        except StartError as held:
            return held
        lines = "\n".join(f"    {line}" for line in self._log.last_lines(8))
        return StartError(
            f"the gateway {reason}; its last lines:\n{lines}", fix="the whole log: mlapi logs gateway"
        )


async def _cancel(*tasks: asyncio.Task[int]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
