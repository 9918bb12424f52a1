"""One supervised server: started, watched, restarted, stopped."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from centralized_ml_api.errors import MlApiError
from centralized_ml_api.local.machine.ports import free_port
from centralized_ml_api.local.supervision.probe import ProbeResult
from centralized_ml_api.local.supervision.process import Process, start_process
from centralized_ml_api.local.supervision.restart import RestartPolicy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from centralized_ml_api.local.launch import Launch, Server
    from centralized_ml_api.local.supervision.probe import Prober
    from centralized_ml_api.local.supervision.process import ServerLog

State = Literal["starting", "ready", "unready", "restarting", "failed"]

STOP_GRACE_SECONDS = 5.0
FIRST_PROBE_SECONDS = 0.02
SLOWEST_STARTING_PROBE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long we wait, in seconds.

    `start`: until a new server is ready (SageMaker's containers have 8 minutes). `ping`: between two looks at
    a ready one. `silence`: until a ready one that answers no ping is taken for dead; long, because a
    server with one thread answers none while it computes. `stop`: until one that was asked to end is killed.
    """

    start: float = 600.0
    probe: float = 5.0
    silence: float = 120.0
    stop: float = STOP_GRACE_SECONDS


class Replica:
    """A server on a port of its own; `changed` is called after every change of `state`.

    `prepare` makes the server anew when what it needs is gone at a start; it says how far it is.
    """

    def __init__(
        self,
        server: Server,
        log: ServerLog,
        prober: Prober,
        changed: Callable[[], None],
        *,
        timeouts: Timeouts,
        prepare: Callable[[Callable[[str], None]], Awaitable[Server]],
    ) -> None:
        self._server = server
        self._prober = prober
        self._changed = changed
        self._timeouts = timeouts
        self._prepare = prepare
        self._process: Process | None = None
        self._policy = RestartPolicy()
        self.log = log
        self.state: State = "starting"
        self.reason = ""
        self.port = 0
        self.restarts = 0

    @property
    def pid(self) -> int | None:
        """The process id while one runs."""
        return self._process.pid if self._process else None

    async def run(self) -> None:
        """Keeps the server running until cancelled (then it is stopped) or given up."""
        try:
            while not self._policy.gives_up:
                await self._live_once()
                if not self._policy.gives_up:
                    self._become("restarting", self.reason)
                    await asyncio.sleep(self._policy.delay_seconds)
                    self.restarts += 1
            self._become("failed", self.reason)
        finally:
            await self._stop_process()

    async def _live_once(self) -> None:
        """One life of the process, from start to end; leaves the policy knowing how it went."""
        self.log.forget()
        try:
            self.port = free_port()
            self._process = await start_process(await self._next_launch(), self.log)
        except MlApiError as error:
            self.reason = error.message
            self._policy = self._policy.after_failed_start()
            return
        ready_since = await self._watch(self._process)
        await self._stop_process()
        if ready_since is None:
            self._policy = self._policy.after_failed_start()
        else:
            self._policy = self._policy.after_crash(time.monotonic() - ready_since)

    async def _next_launch(self) -> Launch:
        """Somebody may have emptied the cache while the server ran from it: then it is filled again."""
        launch = self._server.launch(self.port)
        if all(path.exists() for path in launch.needs):
            return launch
        reason = self.reason
        self._server = await self._prepare(lambda words: self._become(self.state, words))
        self._become(self.state, reason)
        return self._server.launch(self.port)

    async def _watch(self, process: Process) -> float | None:
        """Returns when the process ended or must be ended: the instant when it became ready, if it did."""
        ended = asyncio.create_task(process.wait())
        try:
            if not await self._until_ready(ended):
                return None
            ready_since = time.monotonic()
            self._become("ready")
            await self._while_healthy(ended)
            return ready_since
        finally:
            ended.cancel()
            await asyncio.wait({ended})

    async def _until_ready(self, ended: asyncio.Task[int]) -> bool:
        begun = time.monotonic()
        deadline = begun + self._timeouts.start
        while time.monotonic() < deadline:
            if await self._probe() is ProbeResult.READY:
                return True
            if await _ends_within(ended, pause_until_probe(time.monotonic() - begun)):
                self.reason = f"ended with status {ended.result()} before it was ready"
                return False
        self.reason = f"was not ready after {self._timeouts.start:g} seconds"
        return False

    async def _while_healthy(self, ended: asyncio.Task[int]) -> None:
        last_answer = time.monotonic()
        while not await _ends_within(ended, self._timeouts.probe):
            result = await self._probe()
            if result in {ProbeResult.READY, ProbeResult.NOT_READY}:
                last_answer = time.monotonic()
                self._show(result)
            elif time.monotonic() - last_answer > self._timeouts.silence:
                self.reason = f"{result.value}: restarted"
                return
        self.reason = f"ended with status {ended.result()}"

    def _show(self, result: ProbeResult) -> None:
        if result is ProbeResult.READY:
            self._become("ready")
        else:
            self._become("unready", result.value)

    async def _probe(self) -> ProbeResult:
        return await self._prober.probe(f"http://127.0.0.1:{self.port}{self._server.ping_path}")

    async def _stop_process(self) -> None:
        process, self._process = self._process, None
        if self.state in {"ready", "unready"}:
            self._become("restarting", self.reason)
        if process is not None:
            await process.stop(self._timeouts.stop)

    def _become(self, state: State, reason: str = "") -> None:
        if (self.state, self.reason) != (state, reason):
            self.state, self.reason = state, reason
            self._changed()


def pause_until_probe(seconds: float) -> float:
    """How long to wait before a server is asked again that has been starting for so many seconds. Pure.

    Waiting makes no start longer by more than a twentieth.
    """
    return min(max(FIRST_PROBE_SECONDS, seconds / 20), SLOWEST_STARTING_PROBE_SECONDS)


async def _ends_within(ended: asyncio.Task[int], seconds: float) -> bool:
    await asyncio.wait({ended}, timeout=seconds)
    return ended.done()
