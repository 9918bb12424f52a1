"""Runs a service: everything that serves one model or one function, under one name in the gateway."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from centralized_ml_api.errors import MlApiError
from centralized_ml_api.local.gateway import ExternalUpstream, Upstream
from centralized_ml_api.local.supervision.probe import ProbeResult
from centralized_ml_api.local.supervision.process import ServerLog, start_process
from centralized_ml_api.local.supervision.replica import (
    ChoosePort,
    Replica,
    Start,
    Timeouts,
    choose_quiet_port,
)
from centralized_ml_api.local.supervision.server_watch import Sight
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from centralized_ml_api.local.launch import Server
    from centralized_ml_api.local.supervision.probe import Prober
    from centralized_ml_api.local.supervision.server_watch import ServerWatches
    from centralized_ml_api.plan.url_target import UrlTarget

ServiceState = Literal["preparing", "starting", "restarting", "ready", "unready", "failed", "asleep"]
SETTLED: frozenset[ServiceState] = frozenset({"ready", "unready", "failed", "asleep"})
"""States in which the start is over, whether it succeeded or not; the others pass by themselves."""


@record
class Report:
    """The state of a service: `detail` is what it waits for, or why it failed; `log` holds its last lines.

    `hangs` counts restarts because health checks were answered and requests were not; `last_restart` is why
    there was one last.
    """

    state: ServiceState
    detail: str = ""
    ready_replicas: int = 0
    replicas: int = 1
    restarts: int = 0
    pids: tuple[int, ...] = ()
    log: tuple[str, ...] = ()
    hangs: int = 0
    last_restart: str = ""


class Service(Protocol):
    """What the supervisor runs under one name."""

    async def run(self) -> None:
        """Serves until cancelled; everything that it started is gone by then."""
        ...

    def report(self) -> Report:
        """Returns the state now."""
        ...

    def upstream(self, name: str) -> Upstream | ExternalUpstream:
        """Returns where the gateway, which calls it `name`, sends its calls now."""
        ...

    def path_of(self, endpoint_name: str) -> str | None:
        """Returns the path that takes the calls of an endpoint; None unless only the service knows it."""
        ...

    def about(self) -> Mapping[str, Any]:
        """Returns how its server describes its model; empty if it does not."""
        ...


@runtime_checkable
class SigningService(Service, Protocol):
    """A service whose server is an endpoint in AWS, which takes only signed calls."""

    def sign(
        self, endpoint_name: str, operation: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[str, dict[str, str]] | None:
        """Returns the URL of an operation and all headers to send; None while AWS cannot be called.

        Args:
            endpoint_name: The endpoint in AWS.
            operation: The last segment of its path, such as `invocations`.
            headers: The caller's headers.
            body: The caller's body; its digest is signed.
        """
        ...


class ReplicatedService:
    """Equal servers on this machine.

    Args:
        name: Names the log files.
        prepare: Makes the server before the first start, and again if files that it needs are gone. May take
            long; reports its progress in a few words, and writes the rest to the log.
        replicas: How many servers run.
        logs: The folder of the log files.
        prober: Asks whether a server is ready.
        changed: Called after each change of the report.
        timeouts: How long to wait for a server.
        keeps_connections: Whether the servers take another call on a connection after an answer; None if
            they are asked what they are.
        about_path: Where a server describes its model as a JSON object; None if it does not.
        start: Starts a process.
        choose_port: Returns the port for the next process of a server.
    """

    def __init__(
        self,
        name: str,
        prepare: Callable[[Callable[[str], None], ServerLog], Awaitable[Server]],
        *,
        replicas: int,
        logs: Path,
        prober: Prober,
        changed: Callable[[], None],
        timeouts: Timeouts,
        keeps_connections: bool | None = True,
        about_path: str | None = None,
        start: Start = start_process,
        choose_port: ChoosePort = choose_quiet_port,
    ) -> None:
        self._name = name
        self._prepare = prepare
        self._count = replicas
        self._logs = logs
        self._prober = prober
        self._changed = changed
        self._timeouts = timeouts
        self._keeps_connections = keeps_connections
        self._about_path = about_path
        self._start, self._choose_port = start, choose_port
        self._replicas: list[Replica] = []
        self._log = self._build_log()
        self._detail = ""
        self._failure = ""

    async def run(self) -> None:
        """Prepares the server, then keeps all replicas running; a failed preparation is only reported."""
        try:
            server = await self._prepare(self._say, self._log)
        except MlApiError as error:
            self._failure = f"{error.message} ({error.fix})" if error.fix else error.message
            self._changed()
            return
        self._replicas = [self._replica(server, number) for number in range(1, self._count + 1)]
        async with asyncio.TaskGroup() as group:
            for replica in self._replicas:
                group.create_task(replica.run())
            await asyncio.sleep(0)  # each starts its process: to tell of it takes processor time
            self._changed()

    def report(self) -> Report:
        """Returns the state of the service, which is ready as soon as one replica is."""
        if self._failure:
            return Report("failed", self._failure, replicas=self._count, log=tuple(self._log.last_lines()))
        if not self._replicas:
            return Report("preparing", self._detail, replicas=self._count)
        shown = next((replica for replica in self._replicas if replica.state != "ready"), self._replicas[0])
        return Report(
            state=self._state(),
            detail=shown.reason,
            ready_replicas=len(self._ready_ports()),
            replicas=self._count,
            restarts=sum(replica.restarts for replica in self._replicas),
            hangs=sum(replica.hangs for replica in self._replicas),
            last_restart=next(
                (replica.last_restart for replica in self._replicas if replica.last_restart), ""
            ),
            pids=tuple(replica.pid for replica in self._replicas if replica.pid is not None),
            log=tuple(shown.log.last_lines()),
        )

    def upstream(self, name: str) -> Upstream:
        """Returns the replicas that are ready now."""
        return Upstream(name, self._ready_ports(), self._all_keep_connections())

    def path_of(self, endpoint_name: str) -> str | None:
        """Returns None: the engine of the server decides the path."""
        del endpoint_name
        return None

    def about(self) -> Mapping[str, Any]:
        """Returns what one of the replicas said when it was ready; they are equal."""
        return next((replica.about for replica in self._replicas if replica.about), {})

    def _ready_ports(self) -> tuple[int, ...]:
        return tuple(replica.port for replica in self._replicas if replica.state == "ready")

    def _all_keep_connections(self) -> bool:
        if self._keeps_connections is not None:
            return self._keeps_connections
        return bool(self._replicas) and all(replica.keeps_connections for replica in self._replicas)

    def _state(self) -> ServiceState:
        states = {replica.state for replica in self._replicas}
        if "ready" in states:
            return "ready"
        if states == {"failed"}:
            return "failed"
        waiting: tuple[ServiceState, ...] = ("starting", "restarting")
        return next((state for state in waiting if state in states), "unready")

    def _replica(self, server: Server, number: int) -> Replica:
        log = self._build_log(f".{number}") if self._count > 1 else self._log
        return Replica(
            server,
            log,
            self._prober,
            self._changed,
            timeouts=self._timeouts,
            prepare=lambda say: self._prepare(say, self._log),
            about_path=self._about_path,
            keeps_connections=self._keeps_connections,
            start=self._start,
            choose_port=self._choose_port,
        )

    def _build_log(self, suffix: str = "") -> ServerLog:
        return ServerLog(self._logs / f"{self._name}{suffix}.log")

    def _say(self, detail: str) -> None:
        self._detail = detail
        self._changed()


class ExternalService:
    """A server that somebody else runs: it is only watched.

    Args:
        target: Its address.
        watches: Watch it, together with whoever else is behind the same server.
        changed: Called after each change of what is seen of it.
    """

    def __init__(self, target: UrlTarget, watches: ServerWatches, changed: Callable[[], None]) -> None:
        self._target = target
        self._watches = watches
        self._changed = changed
        self._sight = Sight()

    async def run(self) -> None:
        """Watches until cancelled."""
        await self._watches.follow(self._target, self._note)

    def report(self) -> Report:
        """Returns what the last look showed."""
        result = self._sight.result
        if result is None:
            return Report("starting")
        if result is ProbeResult.READY:
            return Report("ready", ready_replicas=1)
        asked = self._target.ping_url or f"{self._target.host}:{self._target.port}"
        return Report("unready", f"{asked} {result.value}")

    def upstream(self, name: str) -> ExternalUpstream:
        """Returns the host itself."""
        return ExternalUpstream(
            name,
            self._target.host,
            self._target.port,
            self._target.tls,
            ready=self._sight.result is ProbeResult.READY,
            keeps_connections=self._sight.keeps_connections,
        )

    def path_of(self, endpoint_name: str) -> str | None:
        """Returns None: the address has the path."""
        del endpoint_name
        return None

    def about(self) -> Mapping[str, Any]:
        """Returns nothing: no two servers elsewhere describe themselves alike."""
        return {}

    def _note(self, sight: Sight) -> None:
        """Takes what a look showed; that the same is still so is no news."""
        if sight != self._sight:
            self._sight = sight
            self._changed()
