"""A whole local target without processes: a fake Envoy, and a server elsewhere as the model."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.machine.clock import Clock
from centralized_ml_api.local.machine.state_folder import StateFolder
from centralized_ml_api.local.run.control_client import ControlClient
from centralized_ml_api.local.run.file_watcher import watch_edits
from centralized_ml_api.local.run.options import ServeOptions, Terminal
from centralized_ml_api.local.run.reload import load_plan
from centralized_ml_api.local.run.serve import LocalTarget
from support.fake_target import FakeAdmission, FakeEnvoy, FakeProcess, soon

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from centralized_ml_api.errors import MlApiError
    from centralized_ml_api.local.launch import Launch
    from centralized_ml_api.local.status import LocalStatus
    from centralized_ml_api.local.supervision.process import ServerLog


class World:
    """A local target in a folder of the test, and everything it said."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.folder = folder
        self.config = folder / "models.json"
        self.options = ServeOptions(self.config, folder / ".mlapi", **{"port": 0, **options})
        self.envoy = FakeEnvoy()
        self.processes: list[FakeProcess] = []
        self.admission = FakeAdmission()
        self.shown: list[LocalStatus] = []
        self.said: list[str] = []
        self.failed: list[MlApiError] = []
        self.slept = timedelta(0)
        self.looks_seconds = 0.005
        self.sleepers: set[str] = set()
        self.target: LocalTarget | None = None

    async def sleep(self, seconds: float) -> None:
        """A second lasts five milliseconds."""
        task = asyncio.current_task()
        self.sleepers.add(getattr(task and task.get_coro(), "__qualname__", ""))
        await asyncio.sleep(seconds * self.looks_seconds)

    async def start_process(self, launch: Launch, log: ServerLog) -> FakeProcess:
        del launch, log
        self.processes.append(FakeProcess(self.envoy.did))
        return self.processes[-1]

    def write(self, *urls: str, **root: Any) -> None:
        """A config with an entry `m0`, `m1` … for each address; an empty one is not served here."""
        endpoints = [
            {
                "name": f"m{number}",
                "integration": {"type": "api"},
                **({"local": {"engine": "url", "url": url}} if url else {}),
            }
            for number, url in enumerate(urls)
        ]
        self.config.write_text(json.dumps({"models": [], "endpoints": endpoints, **root}))

    async def run(self) -> int:
        plan = load_plan(self.config)
        with StateFolder(self.options.state) as state:
            self.target = LocalTarget(
                self.options,
                state,
                Terminal(self.shown.append, self.said.append, self.failed.append),
                clock=Clock(lambda: datetime.now(UTC) + self.slept, self.sleep),
                admission=self.admission,
                envoy=self.envoy,
                start_gateway_process=self.start_process,
            )
            return await self.target.run(plan)

    @property
    def status(self) -> LocalStatus:
        return self.shown[-1]

    def client(self) -> ControlClient:
        return ControlClient(StateFolder(self.options.state).load_run(), self.options.state)

    async def ask(self, work: Callable[[ControlClient], Any]) -> Any:
        return await asyncio.to_thread(lambda: work(self.client()))


@asynccontextmanager
async def model() -> AsyncIterator[str]:
    """The address of a port that answers: a model that is ready."""
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/go"
    finally:
        server.close()
        await asyncio.sleep(0)  # what was just accepted begins to be handled, and so will be closed


@asynccontextmanager
async def serving(world: World) -> AsyncIterator[asyncio.Task[int]]:
    running = asyncio.create_task(world.run())
    looks = watch_edits.__qualname__  # an edit before its first look would be none
    await soon(lambda: running.done() or (world.shown and world.status.announced and looks in world.sleepers))
    try:
        yield running
    finally:
        if world.target is not None:
            world.target.request_stop()
        await asyncio.wait({running})
