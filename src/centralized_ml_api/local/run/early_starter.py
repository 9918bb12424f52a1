"""Starts the processes of models, and takes those that already run: see `early`."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING

from centralized_ml_api.local.machine.child_environment import list_withheld
from centralized_ml_api.local.supervision.process import Process, start_process
from centralized_ml_api.local.supervision.replica import choose_quiet_port

if TYPE_CHECKING:
    import subprocess

    from centralized_ml_api.local.launch import Launch, Server
    from centralized_ml_api.local.run.early import EarlyServers
    from centralized_ml_api.local.supervision.process import ServerLog


class EarlyStarter:
    """Starts processes, and notes those of a first start for the next one.

    Args:
        early: What already runs.
    """

    def __init__(self, early: EarlyServers) -> None:
        self._early = early
        self._ports: dict[int, Server] = {}
        self._started: list[tuple[int, Launch, Process]] = []
        self._is_over = False

    def choose_port(self, server: Server) -> int:
        """Returns the port of a process that runs as the server would be started, or else a quiet one.

        Raises:
            StartError: No port is free.
        """
        port = self._early.find_port(server.launch) or choose_quiet_port(server)
        if not self._is_over:
            self._ports[port] = server
        return port

    async def start(self, launch: Launch, log: ServerLog) -> Process:
        """Takes the process that was started so, or starts one, as `start_process` does."""
        ports = [port for port, own in self._ports.items() if own.launch(port) == launch]
        found = self._early.take(launch)
        if found is None:
            process = await start_process(launch, log)
        else:
            process = Process(EarlyChild(found.child), found.output, log)
        if not self._is_over:
            self._started += [(port, launch, process) for port in ports]
        return process

    def finish(self) -> None:
        """Ends what nobody has taken: the start is over. Notes what was started, for the next one.

        One that has ended is not noted: another was, or will be, started in its place.
        """
        self._is_over = True
        self._early.end()
        running = [(port, launch) for port, launch, process in self._started if process.is_running]
        self._early.note(running, list_withheld())
        self._started.clear()


class EarlyChild:
    """A child that was started without an event loop, for one."""

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        self._child = child
        self._ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        threading.Thread(target=self._wait, args=(asyncio.get_running_loop(),), daemon=True).start()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._child.pid

    @property
    def returncode(self) -> int | None:
        """The exit status; None while it runs."""
        return self._ended.result() if self._ended.done() else None

    async def wait(self) -> int:
        """Waits for the end and returns the exit status."""
        return await asyncio.shield(self._ended)

    def _wait(self, loop: asyncio.AbstractEventLoop) -> None:
        status = self._child.wait()
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(self._ended.set_result, status)
