"""Runs one worker: a process that runs the function, one invocation at a time."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from centralized_ml_api.local.lambda_host.environment import build_worker_environment
from centralized_ml_api.local.lambda_host.output import WorkerOutput, write_line
from centralized_ml_api.local.lambda_host.runtime_api import Failed, Invocation, Outcome, RuntimeApi
from centralized_ml_api.local.supervision.child_setup import inherited_mark

if TYPE_CHECKING:
    from collections.abc import Callable

    from centralized_ml_api.local.lambda_host.server import HostSpecification

INIT_SECONDS = 60.0
"""How long the function may take to load.

Lambda allows 10 s, then tries again within the function's timeout. One generous limit suits a laptop that is
also loading models.
"""

_START = Path(__file__).with_name("worker_start.py")
_PEAK_MEMORY = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


class Worker:
    """A process that has loaded the function, or is loading it.

    `freed(worker)` is called whenever the worker can take an invocation, for the first time once it has
    loaded.
    """

    def __init__(
        self,
        specification: HostSpecification,
        freed: Callable[[Worker], None],
        *,
        init_seconds: float = INIT_SECONDS,
    ) -> None:
        self._specification = specification
        self._freed = freed
        self._init_seconds = init_seconds
        self._loaded = False
        self._born = time.monotonic()
        self._init_milliseconds = 0.0
        self._current: Invocation | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._output = WorkerOutput()
        self._api = RuntimeApi(function_arn=specification.function_arn, polled=self._polled)

    @property
    def is_gone(self) -> bool:
        """Whether its process has ended: no call is for this worker, even before `live` returns."""
        return self._process is not None and self._process.returncode is not None

    async def live(self) -> Failed | None:
        """Starts the process and waits until it has ended and left nothing behind; cancelling ends it.

        Returns:
            Why the function was never loaded; None if it was.

        Raises:
            OSError: The process could not be started.
        """
        temporary = Path(tempfile.mkdtemp(prefix="mlapi-function-", dir=self._specification.scratch))
        try:
            status = await self._run(temporary)
        finally:
            self._kill()
            if self._current is not None:
                self._current.settle(Failed(503, "the function is stopping"))
            await self._api.stop()
            self._output.close()
            shutil.rmtree(temporary, ignore_errors=True)
        return None if self._loaded else self._why_not_loaded(status)

    async def run(self, invocation: Invocation) -> Outcome:
        """Runs one invocation on this worker, which must be free; a timeout ends the worker."""
        timeout_seconds = self._specification.timeout_seconds
        started = time.monotonic()
        self._current = invocation
        self._output.label = invocation.request_id
        write_line(f"START RequestId: {invocation.request_id} Version: $LATEST")
        self._api.give(invocation, time.time() + timeout_seconds)
        await asyncio.wait({invocation.outcome}, timeout=timeout_seconds)
        if not invocation.outcome.done():
            self._time_out(invocation)
        self._current = None
        self._report(invocation.request_id, (time.monotonic() - started) * 1000)
        return invocation.outcome.result()

    async def _run(self, temporary: Path) -> int:
        environment = build_worker_environment(
            self._specification, runtime_api=await self._api.start(), temporary=temporary
        )
        self._process = await self._spawn({**environment, **inherited_mark()})
        watchdog = asyncio.get_running_loop().call_later(self._init_seconds, self._end_unless_loaded)
        try:
            status = await self._process.wait()
        finally:
            watchdog.cancel()
        if self._current is not None:
            self._crashed(self._current, status)
        return status

    async def _spawn(self, environment: dict[str, str]) -> asyncio.subprocess.Process:
        """Starts the process in its own group, so that everything it starts can be ended with it."""
        try:
            return await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                str(_START),
                str(os.getpid()),
                self._specification.handler,
                env=environment,
                cwd=self._specification.code,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=self._output.writing,
                stderr=self._output.writing,
                process_group=0,
            )
        finally:
            self._output.close_writing()

    def _polled(self) -> None:
        if not self._loaded:
            self._loaded = True
            self._init_milliseconds = (time.monotonic() - self._born) * 1000
        self._output.drain()
        self._freed(self)

    def _end_unless_loaded(self) -> None:
        if not self._loaded:
            reason = f"the function did not load within {self._init_seconds:g} seconds"
            self._api.init_failure = Failed(502, reason)
            self._kill()

    def _kill(self) -> None:
        """Kills the worker and everything it started, if it was started at all."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _time_out(self, invocation: Invocation) -> None:
        seconds = self._specification.timeout_seconds
        self._kill()
        self._output.drain()
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        write_line(f"{now} {invocation.request_id} Task timed out after {seconds:.2f} seconds")
        invocation.settle(Failed(504, f"the function did not answer within {seconds} seconds"))

    def _crashed(self, invocation: Invocation, status: int) -> None:
        self._output.drain()
        write_line(
            f"RequestId: {invocation.request_id} Error: Runtime exited with error: {describe_exit(status)}"
        )
        invocation.settle(
            Failed(502, f"the function's process ended during the call ({describe_exit(status)})")
        )

    def _why_not_loaded(self, status: int) -> Failed:
        return self._api.init_failure or Failed(
            502, f"the function could not be loaded: its process ended ({describe_exit(status)})"
        )

    def _report(self, request_id: str, milliseconds: float) -> None:
        self._output.drain()
        lines = render_report(
            request_id,
            milliseconds,
            self._init_milliseconds,
            limit_mib=self._specification.memory_mib,
            peak_mib=_read_peak_memory_mib(self._process.pid) if self._process else None,
        )
        self._init_milliseconds = 0
        for line in lines:
            write_line(line)


def render_report(
    request_id: str, milliseconds: float, init_milliseconds: float, *, limit_mib: int, peak_mib: int | None
) -> list[str]:
    """Renders the lines that end a request on Lambda. Pure.

    The memory limit is reported, not enforced. A limit of the address space would also count memory that
    libraries only reserve, and stop functions that run well on Lambda.

    Args:
        request_id: The request.
        milliseconds: How long it ran.
        init_milliseconds: How long the function took to load before it; 0 leaves that out.
        limit_mib: The function's memory.
        peak_mib: The most that the worker used; None if unknown.
    """
    parts = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {milliseconds:.2f} ms",
        f"Billed Duration: {math.ceil(milliseconds)} ms",
        f"Memory Size: {limit_mib} MB",
    ]
    if peak_mib is not None:
        parts.append(f"Max Memory Used: {peak_mib} MB")
    if init_milliseconds:
        parts.append(f"Init Duration: {init_milliseconds:.2f} ms")
    lines = [f"END RequestId: {request_id}", "\t".join(parts)]
    if peak_mib is not None and peak_mib > limit_mib:
        lines.append(
            f"{request_id} WARNING: the function used {peak_mib} MB; on Lambda it would end at {limit_mib} MB"
        )
    return lines


def describe_exit(status: int) -> str:
    """Describes an exit status, which is negative for a signal: `exit status 3`, `signal SIGSEGV`. Pure."""
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"signal {signal.Signals(-status).name}"
    except ValueError:
        return f"signal {-status}"


def _read_peak_memory_mib(pid: int) -> int | None:
    """Returns the peak resident memory of a process; None where the kernel does not tell.

    Source: https://man7.org/linux/man-pages/man5/proc_pid_status.5.html (VmHWM)
    """
    try:
        peak = _PEAK_MEMORY.search(Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return None
    return int(peak[1]) // 1024 if peak else None
