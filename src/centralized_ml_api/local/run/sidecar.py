"""Keeps a process beside the gateway running, in the gateway's own folder, where their sockets are."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from centralized_ml_api.commands import command, state_flags
from centralized_ml_api.errors import StartError
from centralized_ml_api.local.launch import Launch
from centralized_ml_api.local.machine.child_environment import sidecar_environment
from centralized_ml_api.local.machine.clock import WALL_CLOCK, Clock
from centralized_ml_api.local.supervision.process import Process, start_process
from centralized_ml_api.local.supervision.restart_policy import RestartPolicy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from centralized_ml_api.local.supervision.process import ServerLog

START_SECONDS = 60.0
STOP_GRACE_SECONDS = 1.0
_POLL_SECONDS = 0.005


class Sidecar(ABC):
    """A process that each Envoy has one of, and that is started again whenever it ends.

    A subclass says what to start and whether it answers.

    Args:
        folder: Where its sockets are: Envoy's folder.
        log: Takes its output.
        clock: Waits between its end and the next start, and measures how long it ran.
        start_process: Starts a process.
    """

    TITLE = ""
    """What it is, after "the"."""

    SOCKETS: tuple[str, ...] = ()
    """Its sockets in the folder: a process that is killed leaves them behind."""

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

    @property
    def is_wanted(self) -> bool:
        """Whether it was started, and not stopped since."""
        return self._wanted

    @abstractmethod
    def build_argv(self) -> tuple[str, ...]:
        """Builds the command that starts the process."""

    @abstractmethod
    async def is_ready(self) -> bool:
        """Returns whether the process answers."""

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
                while not await self.is_ready():  # noqa: ASYNC110  # another process has no event to wait for
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError as error:
            lines = "\n".join(f"    {line}" for line in self._log.last_lines())
            name, flags = self._log.path.stem, state_flags(self._log.path.parents[1])
            raise StartError(
                f"the {self.TITLE} did not start within {seconds:g} seconds; its last lines:\n{lines}",
                fix=f"the whole log: {command('logs', name, *flags)}",
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

    async def stop(self) -> None:
        """Ends the process."""
        async with self._starting:
            self._wanted = False
            await self._end()

    async def _spawn(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        launch = Launch(argv=self.build_argv(), environment=sidecar_environment(), cwd=self._folder)
        self._process = await self._start_process(launch, self._log)
        self._started.set()

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            await process.stop(STOP_GRACE_SECONDS)
            for socket in self.SOCKETS:
                (self._folder / socket).unlink(missing_ok=True)
