"""One child process: started in a session of its own, its output read, ended with everything it started."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from typing import TYPE_CHECKING

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.supervision.mark import inherited_mark

if TYPE_CHECKING:
    from collections.abc import Callable

    from centralized_ml_api.local.launch import Launch
    from centralized_ml_api.local.supervision.log import ServerLog

LINE_LIMIT_BYTES = 256 * 1024
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


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
