"""Keeps one Envoy running: started, told what to serve, restarted when it dies, drained before it stops."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.envoy import EnvoyGateway
from centralized_ml_api.local.supervision.log import ServerLog
from centralized_ml_api.local.supervision.process import Process, start_process
from centralized_ml_api.local.supervision.restart import FIRST_DELAY_SECONDS

if TYPE_CHECKING:
    from centralized_ml_api.local.gateway import Gateway
    from centralized_ml_api.local.state_folder import StateFolder

START_SECONDS = 20.0
STOP_GRACE_SECONDS = 3.0
DRAIN_SECONDS = 5.0


class GatewayKeeper:
    """The gateway of one state folder on one address. `start` first, then `run` in a task."""

    def __init__(self, state: StateFolder, host: str, port: int, *, timeout_seconds: float) -> None:
        self.access_log = state.logs / "access.log"
        self._envoy = EnvoyGateway(
            state.gateway,
            host=host,
            port=port,
            access_log=self.access_log,
            timeout_seconds=timeout_seconds,
        )
        self._log = ServerLog(state.logs / "gateway.log")
        self._process: Process | None = None

    async def start(self) -> None:
        """Starts Envoy and waits until it listens.

        Raises:
            StartError: it does not come up; its last lines are in the message.
        """
        self._log.forget()
        self._process = await start_process(self._envoy.launch(), self._log)
        started = asyncio.create_task(self._envoy.wait_started(START_SECONDS))
        ended = asyncio.create_task(self._process.wait())
        try:
            await asyncio.wait({started, ended}, return_when=asyncio.FIRST_COMPLETED)
            if not started.done():
                raise self._not_started(f"ended with status {ended.result()}")
            await started
        finally:
            await _cancel(started, ended)

    async def run(self) -> None:
        """Restarts Envoy whenever it ends, with what it served; until cancelled."""
        while True:
            if self._process is not None:
                await self._process.wait()
            await asyncio.sleep(FIRST_DELAY_SECONDS)
            with contextlib.suppress(StartError):
                await self.start()

    async def apply(self, gateway: Gateway) -> None:
        """Makes Envoy serve `gateway`; returns when it does.

        Raises:
            StartError: Envoy refuses it. It goes on serving what it had.
        """
        await self._envoy.apply(gateway)

    async def active_requests(self, upstream: str) -> int:
        """How many calls are under way to that upstream."""
        return await self._envoy.active_requests(upstream)

    async def reopen_logs(self) -> None:
        """After the access log was renamed; an Envoy that is just restarting opens it anew by itself."""
        with contextlib.suppress(StartError):
            await self._envoy.reopen_logs()

    async def stop(self) -> None:
        """Takes no new calls, waits a little for those under way, ends Envoy."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(StartError, asyncio.CancelledError):
            await self._envoy.drain(DRAIN_SECONDS)
        await process.stop(STOP_GRACE_SECONDS)

    def _not_started(self, reason: str) -> StartError:
        lines = "\n".join(f"    {line}" for line in self._log.last_lines(8))
        return StartError(
            f"the gateway {reason}; its last lines:\n{lines}", fix="the whole log: mlapi logs gateway"
        )


async def _cancel(*tasks: asyncio.Task[int] | asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
