"""Runs one child process: starts it in its own session, logs its output, ends it with all that it started."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections import deque
from typing import TYPE_CHECKING, Protocol

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.launch import LINE_LIMIT_BYTES, Launch
from centralized_ml_api.local.supervision.child_setup import build_child_setup, inherited_mark
from centralized_ml_api.local.supervision.core_waits import CoreWaits, read_core_waits

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


LAST_LINES = 20
LIMIT_BYTES = 10 * 1024 * 1024


class ServerLog:
    """The log of one process: a bounded file, and the last lines for the message when the process fails.

    A full disk loses log lines but never blocks the process, whose output is always read.

    Args:
        path: The file. At the limit it is renamed to `<path>.1`, so a log takes at most twice the limit.
        limit_bytes: The limit.
        hide: Removes from each line what no log may hold.
    """

    def __init__(
        self, path: Path, *, limit_bytes: int = LIMIT_BYTES, hide: Callable[[str], str] | None = None
    ) -> None:
        self.path = path
        self._limit_bytes = limit_bytes
        self._hide = hide
        self._last: deque[str] = deque(maxlen=LAST_LINES)
        self.news = asyncio.Event()
        """Set by each line; whoever waits for one clears it first."""

    def write(self, line: bytes) -> None:
        """Appends one line, with or without its line end."""
        if self._hide is not None:
            line = self._hide(line.decode("utf-8", errors="replace")).encode()
        self._last.append(line.decode("utf-8", errors="replace").rstrip())
        self.news.set()
        try:
            self._append(line if line.endswith(b"\n") else line + b"\n")
        except OSError:
            return

    def last_lines(self, count: int = LAST_LINES) -> list[str]:
        """Returns at most `count` of the newest lines, oldest first."""
        return [line for line in self._last if line][-count:]

    def forget(self) -> None:
        """Forgets the last lines: what follows belongs to another process."""
        self._last.clear()

    def _append(self, line: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(line)
            full = file.tell() >= self._limit_bytes
        if full:
            self.path.replace(self.path.with_name(self.path.name + ".1"))


class Child(Protocol):
    """What is known of a child, as `asyncio.subprocess.Process` knows it."""

    @property
    def pid(self) -> int:
        """The process id."""
        ...

    @property
    def returncode(self) -> int | None:
        """The exit status; None while it runs."""
        ...

    async def wait(self) -> int:
        """Waits for the end and returns the exit status."""
        ...


class Process:
    """A running child. Its process group ends with it, and on Linux the child ends with us however we end."""

    def __init__(self, child: Child, output: int, log: ServerLog) -> None:
        self._child = child
        self._reader = asyncio.create_task(_read(output, log))

    @property
    def pid(self) -> int:
        """The process id of the child, and of its group."""
        return self._child.pid

    @property
    def is_running(self) -> bool:
        """Whether the child has not ended, as far as is known."""
        return self._child.returncode is None

    def core_waits(self) -> CoreWaits:
        """Returns how long the threads of the child itself have waited for a core so far."""
        return read_core_waits(self.pid)

    async def wait(self) -> int:
        """Returns the exit status, negative for a signal, once the child has ended and its output is read."""
        status = await self._child.wait()
        _kill_group(self.pid, signal.SIGKILL)
        await asyncio.wait({self._reader}, timeout=1)
        return status

    async def stop(self, grace_seconds: float) -> None:
        """Asks the group to end, kills what is left after `grace_seconds`, and returns when it is gone."""
        if self._child.returncode is None:
            _kill_group(self.pid, signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(grace_seconds):
                    await self._child.wait()
        _kill_group(self.pid, signal.SIGKILL)
        await self._child.wait()
        self._reader.cancel()
        await asyncio.wait({self._reader})


async def start_process(launch: Launch, log: ServerLog) -> Process:
    """Starts what `launch` describes; its output goes to `log`, line by line.

    Raises:
        StartError: The program does not exist or may not be run, or the machine has no resources left for it.
    """
    try:
        child, output = await _start_with_pipe(launch)
    except OSError as error:
        raise StartError(
            f"{launch.argv[0]} could not be started: {error.strerror or error}",
            fix="check that the program is installed, on the PATH and executable",
        ) from error
    process = Process(child, output, log)
    if launch.stdin:
        await _feed(child, launch.stdin)
    return process


async def _start_with_pipe(launch: Launch) -> tuple[asyncio.subprocess.Process, int]:
    """Starts the child; returns it with the reading end of its output.

    The pipe is our own: with asyncio's, `wait` would block while a grandchild holds the writing end open.
    """
    output, writing_end = os.pipe()
    try:
        child = await asyncio.create_subprocess_exec(
            *launch.argv,
            cwd=launch.cwd,
            env={**launch.environment, **inherited_mark()},
            stdin=asyncio.subprocess.PIPE if launch.stdin else asyncio.subprocess.DEVNULL,
            stdout=writing_end,
            stderr=writing_end,
            start_new_session=True,
            preexec_fn=build_child_setup(launch),
        )
    except BaseException:
        os.close(output)
        raise
    finally:
        os.close(writing_end)
    return child, output


async def _feed(child: asyncio.subprocess.Process, stdin: bytes) -> None:
    if child.stdin is None:
        return
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        child.stdin.write(stdin)
        await child.stdin.drain()
    child.stdin.close()


async def _read(output: int, log: ServerLog) -> None:
    """Logs the output to its end; logs a line that is too long in pieces, so that reading never stops."""
    stream = asyncio.StreamReader(limit=LINE_LIMIT_BYTES)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(output, "rb", buffering=0)
    )
    try:
        while line := await _next_line(stream):
            log.write(line)
    finally:
        transport.close()


async def _next_line(stream: asyncio.StreamReader) -> bytes:
    """Returns a line, or a piece of one that is too long; empty at the end."""
    try:
        return await stream.readuntil(b"\n")
    except asyncio.IncompleteReadError as end:
        return end.partial
    except asyncio.LimitOverrunError as overrun:
        return await stream.readexactly(max(overrun.consumed, 1))


def _kill_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
