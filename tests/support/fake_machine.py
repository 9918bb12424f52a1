"""What supervision works on, without a process: a test decides what starts, answers and ends."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from centralized_ml_api.errors import MlApiError
from centralized_ml_api.local.launch import Launch
from centralized_ml_api.local.supervision.probe import (
    LOOK_TIMEOUT_SECONDS,
    PROBE_TIMEOUT_SECONDS,
    Prober,
    ProbeResult,
)

if TYPE_CHECKING:
    from centralized_ml_api.local.supervision.core_waits import CoreWaits
    from centralized_ml_api.local.supervision.process import ServerLog


@dataclass(frozen=True)
class FakeServer:
    """A server that needs some files."""

    needs: tuple[Path, ...] = ()
    ping_path: str = "/ping"
    work_path: str | None = None

    def launch(self, port: int) -> Launch:
        """A launch that nobody runs; its port is its argument."""
        return Launch(("serve", str(port)), {}, Path.cwd(), needs=self.needs)


class FakeProcess:
    """A process that ends when a test says so, or when it is stopped.

    `starved` is the share of the time in which its one thread has no core; `looked` are the times at which
    somebody asked for that.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._status: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.stopped_with: float | None = None
        self.starved = 0.0
        self.looked: list[float] = []

    def core_waits(self) -> CoreWaits:
        """The waits of its thread."""
        self.looked.append(asyncio.get_running_loop().time())
        return {1: self.starved * asyncio.get_running_loop().time()}

    async def wait(self) -> int:
        """The status that a test gave it."""
        return await asyncio.shield(self._status)

    async def stop(self, grace_seconds: float) -> None:
        """Notes how long it was given."""
        self.stopped_with = grace_seconds
        self.end(-15)

    def end(self, status: int) -> None:
        """Ends it."""
        if not self._status.done():
            self._status.set_result(status)


@dataclass
class FakeMachine(Prober):
    """Starts processes and answers probes: `answer` to all, or the next of `answers` while there are some.

    `refusals` are the errors of the next starts; `dies_at_once` is the status of processes that end at once;
    `delays` are the seconds until a path answers; `descriptions` are what addresses with this end say;
    `keeps` is whether servers keep connections, `looks` are the addresses that were asked for that. Each
    probe sets `asked`.
    """

    answer: ProbeResult = ProbeResult.READY
    answers: deque[ProbeResult] = field(default_factory=deque)
    refusals: deque[MlApiError] = field(default_factory=deque)
    dies_at_once: int | None = None
    delays: dict[str, float] = field(default_factory=dict)
    descriptions: dict[str, dict[str, Any]] = field(default_factory=dict)
    keeps: bool = False
    looks: list[str] = field(default_factory=list)
    processes: list[FakeProcess] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)
    probes: list[tuple[float, str]] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self, launch: Launch, log: ServerLog) -> FakeProcess:
        """Starts a process, which says its number."""
        self.starts.append(asyncio.get_running_loop().time())
        self.ports.append(int(launch.argv[1]))
        if self.refusals:
            raise self.refusals.popleft()
        process = FakeProcess(100 + len(self.processes))
        self.processes.append(process)
        log.write(f"process {process.pid}".encode())
        if self.dies_at_once is not None:
            process.end(self.dies_at_once)
        return process

    async def probe(self, url: str, timeout_seconds: float = PROBE_TIMEOUT_SECONDS) -> ProbeResult:
        """Answers a probe of an address."""
        self.probes.append((asyncio.get_running_loop().time(), url))
        self.asked.set()
        delay = next((seconds for path, seconds in self.delays.items() if url.endswith(path)), 0.0)
        await asyncio.sleep(min(delay, timeout_seconds))
        if delay > timeout_seconds:
            return ProbeResult.SILENT
        return self.answers.popleft() if self.answers else self.answer

    async def describe(self, url: str, timeout_seconds: float = PROBE_TIMEOUT_SECONDS) -> dict[str, Any]:
        """Answers what a server says of itself."""
        await asyncio.sleep(min(0, timeout_seconds))
        return next((said for end, said in self.descriptions.items() if url.endswith(end)), {})

    async def keeps_connections(self, url: str, timeout_seconds: float = LOOK_TIMEOUT_SECONDS) -> bool:
        """Answers whether a server keeps connections."""
        await asyncio.sleep(min(0, timeout_seconds))
        self.looks.append(url)
        return self.keeps

    async def probe_port(
        self, host: str, port: int, timeout_seconds: float = PROBE_TIMEOUT_SECONDS
    ) -> ProbeResult:
        """Answers a probe of a port."""
        return await self.probe(f"{host}:{port}", timeout_seconds)
