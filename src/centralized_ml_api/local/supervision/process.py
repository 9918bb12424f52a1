"""One child process: started in a session of its own, its output read, ended with everything it started."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from collections import deque
from typing import TYPE_CHECKING

from centralized_ml_api.errors import StartError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from centralized_ml_api.local.launch import Launch

MARK = "MLAPI_STATE_FOLDER"
"""The environment variable that every process below us inherits: the state folder that it belongs to."""

LINE_LIMIT_BYTES = 256 * 1024
LAST_LINES = 20
LIMIT_BYTES = 10 * 1024 * 1024
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def set_mark(folder: Path) -> None:
    """Marks what this process starts from now on as belonging to the state folder."""
    os.environ[MARK] = str(folder)


def inherited_mark() -> dict[str, str]:
    """The mark as an environment to add to a child's; empty where none is set."""
    return {MARK: os.environ[MARK]} if MARK in os.environ else {}


class ServerLog:
    """Appends to `path`; past the limit it becomes `<path>.1`, so a log takes at most twice that.

    A disk that is full loses log lines, never the process: its output is always read. `hide` takes out of
    every line what no log may have.
    """

    def __init__(
        self, path: Path, *, limit_bytes: int = LIMIT_BYTES, hide: Callable[[str], str] | None = None
    ) -> None:
        self.path = path
        self._limit_bytes = limit_bytes
        self._hide = hide
        self._last: deque[str] = deque(maxlen=LAST_LINES)

    def write(self, line: bytes) -> None:
        """Takes one line (with or without its line end)."""
        if self._hide is not None:
            line = self._hide(line.decode("utf-8", errors="replace")).encode()
        self._last.append(line.decode("utf-8", errors="replace").rstrip())
        try:
            self._append(line if line.endswith(b"\n") else line + b"\n")
        except OSError:
            return

    def last_lines(self, count: int = LAST_LINES) -> list[str]:
        """The newest lines, oldest first, at most `count`."""
        return [line for line in self._last if line][-count:]

    def forget(self) -> None:
        """Starts the last lines anew: what follows belongs to another process."""
        self._last.clear()

    def _append(self, line: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(line)
            full = file.tell() >= self._limit_bytes
        if full:
            self.path.replace(self.path.with_name(self.path.name + ".1"))


class Process:
    """A running child. Its whole process group ends with it; on Linux it ends when we are killed, too."""

    def __init__(self, child: asyncio.subprocess.Process, output: int, log: ServerLog) -> None:
        self._child = child
        self._reader = asyncio.create_task(_read(output, log))

    @property
    def pid(self) -> int:
        """The child's process id, which is also its group's."""
        return self._child.pid

    async def wait(self) -> int:
        """The exit status once the child has ended and its output is read; negative for a signal."""
        status = await self._child.wait()
        _kill_group(self.pid, signal.SIGKILL)
        await asyncio.wait({self._reader}, timeout=1)
        return status

    async def stop(self, grace_seconds: float) -> None:
        """Asks the group to end and kills what is left after `grace_seconds`; returns when it is gone."""
        if self._child.returncode is None:
            _kill_group(self.pid, signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._child.wait(), grace_seconds)
        _kill_group(self.pid, signal.SIGKILL)
        await self._child.wait()
        self._reader.cancel()
        await asyncio.wait({self._reader})


async def start_process(launch: Launch, log: ServerLog) -> Process:
    """Starts what `launch` describes; its output goes to `log`, line by line.

    Raises:
        StartError: the program does not exist or may not be run, or the machine has no room for it.
    """
    try:
        child, output = await _start_with_pipe(launch)
    except OSError as error:
        raise _not_started(launch, error) from error
    process = Process(child, output, log)
    if launch.stdin:
        await _feed(child, launch.stdin)
    return process


async def _start_with_pipe(launch: Launch) -> tuple[asyncio.subprocess.Process, int]:
    """The child, and the end of a pipe where its output is read.

    The pipe is our own: with asyncio's, `wait` would hang for as long as a grandchild holds the other end.
    """
    output, its_end = os.pipe()
    try:
        return await _start_child(launch, its_end), output
    except BaseException:
        os.close(output)
        raise
    finally:
        os.close(its_end)


def _not_started(launch: Launch, error: OSError) -> StartError:
    return StartError(
        f"{launch.argv[0]} could not be started: {error.strerror or error}",
        fix="check that the program is installed, on the PATH and executable",
    )


async def _start_child(launch: Launch, output: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *launch.argv,
        cwd=launch.cwd,
        env={**launch.environment, **inherited_mark()},
        stdin=asyncio.subprocess.PIPE if launch.stdin else asyncio.subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
        preexec_fn=_die_with(os.getpid()),
    )


def _die_with(parent: int) -> Callable[[], None] | None:
    """Runs in the child: the kernel kills it when we die, however we die (prctl(2))."""
    libc = _libc
    if libc is None:
        return None

    def set_death_signal() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # we died between fork and prctl
            os.kill(os.getpid(), signal.SIGKILL)

    return set_death_signal


async def _feed(child: asyncio.subprocess.Process, stdin: bytes) -> None:
    if child.stdin is None:
        return
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        child.stdin.write(stdin)
        await child.stdin.drain()
    child.stdin.close()


async def _read(output: int, log: ServerLog) -> None:
    """Reads to the end, then closes. A line that is too long is logged in pieces: reading never stops."""
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
    """A line, or a piece of one that is too long; empty at the end."""
    try:
        return await stream.readuntil(b"\n")
    except asyncio.IncompleteReadError as end:
        return end.partial
    except asyncio.LimitOverrunError as overrun:
        return await stream.readexactly(max(overrun.consumed, 1))


def _kill_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
