"""Keeps the admission service running: each Envoy has one of its own, and one that ends is started again."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from typing import TYPE_CHECKING

from centralized_ml_api.commands import command, state_flags
from centralized_ml_api.errors import StartError
from centralized_ml_api.local.admission.terms import OCCUPANCY_SOCKET
from centralized_ml_api.local.envoy.admin import shorten_path
from centralized_ml_api.local.launch import Launch
from centralized_ml_api.local.machine.child_environment import inherited_environment
from centralized_ml_api.local.machine.clock import WALL_CLOCK, Clock
from centralized_ml_api.local.supervision.process import Process, start_process
from centralized_ml_api.local.supervision.restart import RestartPolicy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from centralized_ml_api.local.supervision.process import ServerLog

START_SECONDS = 20.0
STOP_GRACE_SECONDS = 1.0
_POLL_SECONDS = 0.02
_MODULE = "centralized_ml_api.local.admission"


class SupervisedAdmission:
    """The admission service in a process of its own.

    Args:
        folder: Where its sockets are: Envoy's folder.
        log: Takes its output.
        clock: Waits between its end and the next start, and measures how long it ran.
        start_process: Starts a process.
    """

    def __init__(
        self,
        folder: Path,
        log: ServerLog,
        *,
        clock: Clock = WALL_CLOCK,
        start_process: Callable[[Launch, ServerLog], Awaitable[Process]] = start_process,
    ) -> None:
        self._folder = folder
        self._log = log
        self._clock = clock
        self._start_process = start_process
        self._process: Process | None = None
        self._wanted = False
        self._started = asyncio.Event()
        self._starting = asyncio.Lock()
        self.restarts = 0

    async def start(self) -> None:
        """Starts the process, in place of one that runs; does not wait until it answers.

        Raises:
            StartError: It cannot be started.
        """
        async with self._starting:
            self._wanted = True
            await self._end()
            await self._spawn()

    async def wait_ready(self, seconds: float = START_SECONDS) -> None:
        """Waits until the process answers.

        Raises:
            StartError: It does not in time.
        """
        try:
            async with asyncio.timeout(seconds):
                while await self._ask() is None:  # noqa: ASYNC110  # another process has no event to wait for
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError as error:
            lines = "\n".join(f"    {line}" for line in self._log.last_lines())
            raise StartError(
                f"the admission service did not start within {seconds:g} seconds; its last lines:\n{lines}",
                fix=f"the whole log: {command('logs', 'admission', *state_flags(self._log.path.parents[1]))}",
            ) from error

    async def run(self) -> None:
        """Starts the process again whenever it ends, after growing delays; until cancelled."""
        policy = RestartPolicy()
        while True:
            await self._started.wait()
            process, began = self._process, self._clock.monotonic()
            self._started.clear()
            if process is None:
                continue
            await process.wait()
            if process is not self._process:  # ended on purpose
                continue
            self._process = None
            policy = policy.after_crash(self._clock.monotonic() - began)
            while self._wanted and self._process is None:
                await self._clock.sleep(policy.delay_seconds)
                async with self._starting:
                    if self._wanted and self._process is None:
                        self.restarts += 1
                        with contextlib.suppress(StartError):
                            await self._spawn()

    async def occupancy(self) -> dict[str, dict[str, int]]:
        """Returns by entry how many calls are `under_way` and `waiting`; empty if the process is away."""
        return await self._ask() or {}

    async def stop(self) -> None:
        """Ends the process."""
        async with self._starting:
            self._wanted = False
            await self._end()

    async def _spawn(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # -P: what lies in the folder must not take the place of a module.
        argv = (sys.executable, "-P", "-m", _MODULE)
        launch = Launch(argv=argv, environment=inherited_environment(), cwd=self._folder)
        self._process = await self._start_process(launch, self._log)
        self._started.set()

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            await process.stop(STOP_GRACE_SECONDS)

    async def _ask(self) -> dict[str, dict[str, int]] | None:
        try:
            with shorten_path(self._folder / OCCUPANCY_SOCKET) as socket:
                reader, writer = await asyncio.open_unix_connection(socket)
            try:
                answer: dict[str, dict[str, int]] = json.loads(await reader.read())
            finally:
                writer.close()
        except (OSError, ValueError):
            return None
        return answer
