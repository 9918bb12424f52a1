"""A replica of a server under a clock of its own, and what the server does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from centralized_ml_api.errors import WeightsError
from centralized_ml_api.local.supervision.probe import ProbeResult
from centralized_ml_api.local.supervision.process import ServerLog
from centralized_ml_api.local.supervision.replica import (
    Replica,
    Timeouts,
)
from support.fake_machine import FakeMachine, FakeServer
from support.virtual_time import VirtualTimeLoop, run_in_virtual_time

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from centralized_ml_api.local.launch import Server

READY, NOT_READY, REFUSED, SILENT = (
    ProbeResult.READY,
    ProbeResult.NOT_READY,
    ProbeResult.REFUSED,
    ProbeResult.SILENT,
)
TIMEOUTS = Timeouts(start=600, probe=5, silence=120, work=60, stop=3)


class Scene:
    """A replica on a fake machine; `seen` are its states and reasons, one for each call of `changed`."""

    def __init__(self, folder: Path, server: FakeServer, prepared: Server | WeightsError) -> None:
        self.machine = FakeMachine()
        self.seen: list[tuple[str, str]] = []
        self.said: list[str] = []
        self._prepared = prepared
        self.replica = Replica(
            server,
            ServerLog(folder / "log"),
            self.machine,
            lambda: self.seen.append((self.replica.state, self.replica.reason)),
            timeouts=TIMEOUTS,
            prepare=self._prepare,
            about_path="/about",
            start=self.machine.start,
        )

    async def _prepare(self, say: Callable[[str], None]) -> Server:
        say("downloading weights")
        self.said.append(self.replica.reason)
        if isinstance(self._prepared, WeightsError):
            raise self._prepared
        return self._prepared

    @property
    def state(self) -> str:
        """The state now."""
        return self.replica.state

    @property
    def now(self) -> tuple[str, str]:
        """The state and the reason now."""
        return self.replica.state, self.replica.reason

    @property
    def states(self) -> list[str]:
        """The states that it went through."""
        return [state for state, _ in self.seen]


def play(
    folder: Path,
    scenario: Callable[[Scene], Awaitable[None]],
    *,
    server: FakeServer | None = None,
    prepared: Server | WeightsError | None = None,
) -> Scene:
    """Runs the scenario beside a replica, then cancels it."""

    async def main() -> Scene:
        scene = Scene(folder, server or FakeServer(), prepared or FakeServer())
        task = asyncio.create_task(scene.replica.run())
        await scenario(scene)
        task.cancel()
        await asyncio.wait({task})
        return scene

    return run_in_virtual_time(main())


async def wait_for(seconds: float = 1.0) -> None:
    await asyncio.sleep(seconds)


def advance(seconds: float) -> None:
    """Lets time pass in which this process does not run."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    loop.advance(seconds)
