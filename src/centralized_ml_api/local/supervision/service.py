"""A service: everything that serves one model or one function, behind one name of the gateway."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from centralized_ml_api.errors import MlApiError
from centralized_ml_api.local.gateway import ExternalUpstream, Upstream
from centralized_ml_api.local.supervision.probe import ProbeResult
from centralized_ml_api.local.supervision.process import ServerLog
from centralized_ml_api.local.supervision.replica import Replica, Timeouts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from centralized_ml_api.local.launch import Server
    from centralized_ml_api.local.supervision.probe import Prober
    from centralized_ml_api.plan.engines import UrlTarget

ServiceState = Literal["preparing", "starting", "restarting", "ready", "unready", "failed"]
SETTLED: frozenset[ServiceState] = frozenset({"ready", "unready", "failed"})
"""States in which a start is over, well or badly; the others pass by themselves."""


@dataclass(frozen=True, slots=True)
class Report:
    """How a service is: `detail` says what it waits for or why it failed; `log` are its last lines."""

    state: ServiceState
    detail: str = ""
    ready_replicas: int = 0
    replicas: int = 1
    restarts: int = 0
    pids: tuple[int, ...] = ()
    log: tuple[str, ...] = ()


class Service(Protocol):
    """What the supervisor keeps running under one name."""

    async def run(self) -> None:
        """Serves until cancelled; then everything it started is gone."""
        ...

    def report(self) -> Report:
        """How it is now."""
        ...

    def upstream(self, name: str) -> Upstream | ExternalUpstream:
        """Where the gateway sends its calls now, under this name."""
        ...

    def path_of(self, endpoint_name: str) -> str | None:
        """The path that takes the calls of an endpoint, where only the service knows it."""
        ...


class ReplicatedService:
    """Equal servers of this machine.

    `prepare` makes the server before the first start, and again when what it brought is gone. It may take
    long, says how far it is in a few words, and writes the rest to the log that it is given.
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
    ) -> None:
        self._name = name
        self._prepare = prepare
        self._count = replicas
        self._logs = logs
        self._prober = prober
        self._changed = changed
        self._timeouts = timeouts
        self._replicas: list[Replica] = []
        self._log = self._build_log()
        self._detail = ""
        self._failure = ""

    async def run(self) -> None:
        """Prepares, then keeps every replica running; a failure to prepare is reported, not raised."""
        try:
            server = await self._prepare(self._say, self._log)
        except MlApiError as error:
            self._failure = f"{error.message} ({error.fix})" if error.fix else error.message
            self._changed()
            return
        self._replicas = [self._replica(server, number) for number in range(1, self._count + 1)]
        self._changed()
        async with asyncio.TaskGroup() as group:
            for replica in self._replicas:
                group.create_task(replica.run())

    def report(self) -> Report:
        """How the service is: ready as soon as one replica is."""
        if self._failure:
            return Report("failed", self._failure, replicas=self._count, log=tuple(self._log.last_lines()))
        if not self._replicas:
            return Report("preparing", self._detail, replicas=self._count)
        worst = next((one for one in self._replicas if one.state != "ready"), self._replicas[0])
        return Report(
            state=self._state(),
            detail=worst.reason,
            ready_replicas=sum(one.state == "ready" for one in self._replicas),
            replicas=self._count,
            restarts=sum(one.restarts for one in self._replicas),
            pids=tuple(one.pid for one in self._replicas if one.pid is not None),
            log=tuple(worst.log.last_lines()),
        )

    def upstream(self, name: str) -> Upstream:
        """The replicas that are ready now."""
        return Upstream(name, tuple(one.port for one in self._replicas if one.state == "ready"))

    def path_of(self, endpoint_name: str) -> str | None:
        """None: the server has the paths of its engine."""
        del endpoint_name
        return None

    def _state(self) -> ServiceState:
        states = {one.state for one in self._replicas}
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
        )

    def _build_log(self, suffix: str = "") -> ServerLog:
        return ServerLog(self._logs / f"{self._name}{suffix}.log")

    def _say(self, detail: str) -> None:
        self._detail = detail
        self._changed()


class ExternalService:
    """A server that somebody else runs: only watched."""

    PAUSES_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)

    def __init__(self, target: UrlTarget, prober: Prober, changed: Callable[[], None]) -> None:
        self._target = target
        self._prober = prober
        self._changed = changed
        self._result: ProbeResult | None = None

    async def run(self) -> None:
        """Looks again and again until cancelled: often at first, every five seconds later."""
        pauses = itertools.chain(self.PAUSES_SECONDS, itertools.repeat(self.PAUSES_SECONDS[-1]))
        for pause in pauses:
            result = await self._look()
            if result is not self._result:
                self._result = result
                self._changed()
            await asyncio.sleep(pause)

    def report(self) -> Report:
        """Ready, or what the last look showed."""
        if self._result is None:
            return Report("starting")
        if self._result is ProbeResult.READY:
            return Report("ready", ready_replicas=1)
        asked = self._target.ping_url or f"{self._target.host}:{self._target.port}"
        return Report("unready", f"{asked} {self._result.value}")

    def upstream(self, name: str) -> ExternalUpstream:
        """The host itself."""
        target, ready = self._target, self.report().state == "ready"
        return ExternalUpstream(name, target.host, target.port, target.tls, ready)

    def path_of(self, endpoint_name: str) -> str | None:
        """None: the path is that of the address."""
        del endpoint_name
        return None

    async def _look(self) -> ProbeResult:
        target = self._target
        if target.ping_url is not None:
            return await self._prober.probe(target.ping_url)
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection(target.host, target.port), 5)
        except (OSError, TimeoutError):
            return ProbeResult.REFUSED
        writer.close()
        return ProbeResult.READY
