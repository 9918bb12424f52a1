"""A service of replicas under a clock of its own, and what their servers do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from centralized_ml_api.errors import MlApiError
from centralized_ml_api.local.supervision.probe import ProbeResult
from centralized_ml_api.local.supervision.replica import Timeouts
from centralized_ml_api.local.supervision.service import (
    ReplicatedService,
    Report,
    Service,
)
from support.fake_machine import FakeMachine, FakeServer
from support.virtual_time import run_in_virtual_time

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from centralized_ml_api.local.launch import Server
    from centralized_ml_api.local.supervision.process import ServerLog

READY, NOT_READY, REFUSED = ProbeResult.READY, ProbeResult.NOT_READY, ProbeResult.REFUSED


class Scene:
    """A service of some replicas on a fake machine; `reports` holds one for each call of `changed`."""

    def __init__(self, logs: Path, replicas: int, *, keeps_connections: bool | None) -> None:
        self.machine = FakeMachine()
        self.reports: list[Report] = []
        self.prepared: Server | MlApiError = FakeServer()
        self.service = ReplicatedService(
            "echo",
            self._prepare,
            replicas=replicas,
            logs=logs,
            prober=self.machine,
            changed=lambda: self.reports.append(self.service.report()),
            timeouts=Timeouts(),
            about_path="/about",
            keeps_connections=keeps_connections,
            start=self.machine.start,
        )

    @property
    def ports(self) -> tuple[int, ...]:
        """Where calls go now."""
        return self.service.upstream("echo").ports

    async def _prepare(self, say: Callable[[str], None], log: ServerLog) -> Server:
        say("downloading weights: 1 GB")
        log.write(b"a line of pip")
        await asyncio.sleep(1)
        if isinstance(self.prepared, MlApiError):
            raise self.prepared
        return self.prepared


def play(
    logs: Path,
    scenario: Callable[[Scene], Awaitable[None]],
    *,
    replicas: int = 1,
    keeps_connections: bool | None = True,
) -> Scene:
    """Runs the scenario beside a service, then cancels it."""

    async def main() -> Scene:
        scene = Scene(logs, replicas, keeps_connections=keeps_connections)
        await run_beside(scene.service, scenario(scene))
        return scene

    return run_in_virtual_time(main())


async def run_beside(service: Service, scenario: Awaitable[None]) -> None:
    task = asyncio.create_task(service.run())
    await scenario
    task.cancel()
    await asyncio.wait({task})
