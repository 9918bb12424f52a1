"""Supervises one server: starts it, probes it, restarts it when it ends or falls silent, stops it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Literal, Protocol

from centralized_ml_api.errors import MlApiError
from centralized_ml_api.local.launch import Launch
from centralized_ml_api.local.machine.ports import quiet_port
from centralized_ml_api.local.supervision.core_waits import CoreWaits, count_seconds
from centralized_ml_api.local.supervision.probe import PROBE_TIMEOUT_SECONDS, ProbeResult
from centralized_ml_api.local.supervision.process import ServerLog, start_process
from centralized_ml_api.local.supervision.restart_policy import RestartPolicy
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from centralized_ml_api.local.launch import Server
    from centralized_ml_api.local.supervision.probe import Prober

State = Literal["starting", "ready", "unready", "restarting", "failed"]

STOP_GRACE_SECONDS = 5.0
STUCK = "answered health checks but no requests"
FIRST_PROBE_SECONDS = 0.02
SLOWEST_STARTING_PROBE_SECONDS = 0.5
SOONEST_SHARE = 0.1
"""Of the pause until the next probe, so much passes even if the server, which starts, writes a line."""
SURE_SHARE = 0.75
"""Of the time for work, so much without an answer is enough: a server that hangs may wait for cores, too."""


@record
class Timeouts:
    """How long to wait, in seconds.

    Attributes:
        start: Until a new server must be ready; SageMaker's containers have 8 minutes.
        probe: Between two probes of a server that is ready.
        silence: Until a ready server that answers no probe counts as dead. Long, because a server with a
            single thread does not answer while it computes.
        work: Until a server is restarted that answers probes but works off no requests: longer than the API
            waits for an answer, and than a server takes for one part of a long prompt.
        stop: Until a server that was asked to stop is killed.
    """

    start: float = 600.0
    probe: float = 5.0
    silence: float = 120.0
    work: float = 60.0
    stop: float = STOP_GRACE_SECONDS


class RunningProcess(Protocol):
    """A started process, as `supervision.process.Process` is one."""

    @property
    def pid(self) -> int:
        """The process id."""
        ...

    def core_waits(self) -> CoreWaits:
        """Returns how long its threads have waited for a core so far."""
        ...

    async def wait(self) -> int:
        """Waits for the end and returns the exit status."""
        ...

    async def stop(self, grace_seconds: float) -> None:
        """Stops the process; returns when it is gone."""
        ...


Start = Callable[[Launch, ServerLog], Awaitable[RunningProcess]]
ChoosePort = Callable[["Server"], int]


def choose_quiet_port(server: Server) -> int:
    """Returns a port that nobody is about to take.

    Raises:
        StartError: No port is free.
    """
    del server
    return quiet_port()


class Replica:
    """A server on a port of its own. Only `run` writes its state.

    `restarts` counts all restarts, `hangs` those of a server that answered probes and worked off no request;
    `last_restart` is why it was restarted last. `about` is how the server describes its model, once it is
    ready; empty if it does not. `keeps_connections` is whether it takes another call on a connection, False
    until that is known.

    Args:
        server: What to start.
        log: Takes the output of the process.
        prober: Asks whether the server is ready.
        changed: Called after each change of `state` or `reason`.
        timeouts: How long to wait.
        prepare: Makes the server again if a file that it needs is gone; reports its progress to its argument.
        about_path: Where the server describes its model as a JSON object; None if it does not.
        keeps_connections: Whether the server takes another call on a connection after an answer; None if it
            is asked what it is.
        start: Starts a process.
        choose_port: Returns the port for the next process of a server.
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
        about_path: str | None = None,
        keeps_connections: bool | None = True,
        start: Start = start_process,
        choose_port: ChoosePort = choose_quiet_port,
    ) -> None:
        self._server = server
        self._prober = prober
        self._changed = changed
        self._timeouts = timeouts
        self._prepare = prepare
        self._about_path = about_path
        self._is_asked = keeps_connections is None
        self._start, self._choose_port = start, choose_port
        self._process: RunningProcess | None = None
        self._policy = RestartPolicy()
        self.log = log
        self.state: State = "starting"
        self.reason = ""
        self.port = 0
        self.restarts = 0
        self.hangs = 0
        self.last_restart = ""
        self.about: dict[str, Any] = {}
        self.keeps_connections = bool(keeps_connections)

    @property
    def pid(self) -> int | None:
        """The process id; None while no process runs."""
        return self._process.pid if self._process else None

    async def run(self) -> None:
        """Keeps the server running until it is given up, or until cancelled, which stops the process."""
        try:
            while not self._policy.gives_up:
                await self._run_once()
                if not self._policy.gives_up:
                    self._become("restarting", self.reason)
                    await asyncio.sleep(self._policy.delay_seconds)
                    self.restarts += 1
                    self.last_restart = self.reason
            self._become("failed", self.reason)
        finally:
            await self._stop_process()

    async def _run_once(self) -> None:
        """Runs the process from its start to its end, and tells the policy how it went."""
        self.log.forget()
        try:
            self.port = self._choose_port(self._server)
            self._process = await self._start(await self._next_launch(), self.log)
        except MlApiError as error:
            self.reason = error.message
            self._policy = self._policy.after_failed_start()
            return
        ready_since = await self._watch(self._process)
        await self._stop_process()
        if ready_since is None:
            self._policy = self._policy.after_failed_start()
        else:
            self._policy = self._policy.after_crash(_now() - ready_since)

    async def _next_launch(self) -> Launch:
        """Prepares the server again if what it needs is gone, for example after the cache was emptied."""
        launch = self._server.launch(self.port)
        if all(path.exists() for path in launch.needs):
            return launch
        reason = self.reason
        self._server = await self._prepare(lambda progress: self._become(self.state, progress))
        self._become(self.state, reason)
        return self._server.launch(self.port)

    async def _watch(self, process: RunningProcess) -> float | None:
        """Waits until the process ended or must be stopped.

        Returns:
            When it became ready, in seconds of the event loop's clock; None if it never did.
        """
        ended = asyncio.create_task(process.wait())
        try:
            if not await self._until_ready(ended):
                return None
            ready_since = _now()
            if self._about_path:
                self.about = await self._prober.describe(self._url(self._about_path))
            if self._is_asked:
                url = self._url(self._server.ping_path)
                self.keeps_connections = await self._prober.keeps_connections(url)
            self._become("ready")
            await self._while_healthy(process, ended)
            return ready_since
        finally:
            ended.cancel()
            await asyncio.wait({ended})

    async def _until_ready(self, ended: asyncio.Task[int]) -> bool:
        begun = _now()
        while _now() - begun < self._timeouts.start:
            self.log.news.clear()
            if await self._probe(self._server.ping_path) is ProbeResult.READY:
                return True
            if await self._ends_before_probe(ended, pause_until_probe(_now() - begun)):
                self.reason = f"ended with status {ended.result()} before it was ready"
                return False
        self.reason = f"was not ready after {self._timeouts.start:g} seconds"
        return False

    async def _ends_before_probe(self, ended: asyncio.Task[int], seconds: float) -> bool:
        """Waits that long, or until the server writes a line, which may say that it is ready.

        Returns whether it has ended instead.
        """
        if await _ends_within(ended, seconds * SOONEST_SHARE):
            return True
        said = asyncio.create_task(self.log.news.wait())
        left = seconds * (1 - SOONEST_SHARE)
        try:
            await asyncio.wait({ended, said}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        finally:
            said.cancel()
        return ended.done()

    async def _while_healthy(self, process: RunningProcess, ended: asyncio.Task[int]) -> None:
        stuck = asyncio.create_task(self._until_stuck(process))
        try:
            await self._watch_health(process, ended, stuck)
        finally:
            stuck.cancel()
            await asyncio.wait({stuck})

    async def _watch_health(
        self, process: RunningProcess, ended: asyncio.Task[int], stuck: asyncio.Task[None]
    ) -> None:
        silent_seconds, looked_at, waits = 0.0, _now(), None
        while not await _ends_within(ended, self._timeouts.probe):
            if waits is None:  # not sooner: calls may wait for a server of hundreds of threads to be ready
                looked_at, waits = _now(), process.core_waits()
            if stuck.done():
                self.hangs += 1
                self.reason = f"{STUCK}: restarted"
                self.log.write(self.reason.encode())
                return
            result = await self._probe(self._server.ping_path)
            waits_now = process.core_waits()
            counted = count_seconds(_now() - looked_at, waits, waits_now)
            looked_at, waits = _now(), waits_now
            if result in {ProbeResult.READY, ProbeResult.NOT_READY}:
                silent_seconds = 0.0
                ready = result is ProbeResult.READY
                self._become("ready" if ready else "unready", "" if ready else result.value)
                continue
            # While this process itself was stopped, it could not hear an answer.
            silent_seconds += min(counted, self._timeouts.probe + PROBE_TIMEOUT_SECONDS)
            if silent_seconds > self._timeouts.silence:
                self.reason = f"{result.value}: restarted"
                return
        self.reason = f"ended with status {ended.result()}"

    async def _until_stuck(self, process: RunningProcess) -> None:
        """Returns once the server has not answered at its `work_path` in time; never if it has none.

        A connection that broke says nothing of that, nor does a wait in which this process was stopped.
        """
        stuck_seconds = 0.0
        while self._server.work_path:
            await asyncio.sleep(self._timeouts.probe)
            asked_at, waits = _now(), process.core_waits()
            result = await self._probe(self._server.work_path, self._timeouts.work)
            elapsed = _now() - asked_at
            if result is not ProbeResult.SILENT:
                stuck_seconds = 0.0
            elif abs(elapsed - self._timeouts.work) < PROBE_TIMEOUT_SECONDS:
                stuck_seconds += count_seconds(elapsed, waits, process.core_waits())
            if stuck_seconds > self._timeouts.work * SURE_SHARE:
                return
        await asyncio.Event().wait()

    async def _probe(self, path: str, timeout_seconds: float = PROBE_TIMEOUT_SECONDS) -> ProbeResult:
        return await self._prober.probe(self._url(path), timeout_seconds)

    def _url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

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
    """Returns after how many seconds to probe again a server that has been starting for `seconds`.

    The wait makes no start longer by more than a twentieth. Pure.
    """
    return min(max(FIRST_PROBE_SECONDS, seconds / 20), SLOWEST_STARTING_PROBE_SECONDS)


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _ends_within(ended: asyncio.Task[int], seconds: float) -> bool:
    await asyncio.wait({ended}, timeout=seconds)
    return ended.done()
