"""One worker: a process that runs the function, one invocation at a time."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import shutil
import signal
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from centralized_ml_api.local.lambda_host.environment import build_worker_environment
from centralized_ml_api.local.lambda_host.invocation import Failed, Invocation, Outcome
from centralized_ml_api.local.lambda_host.memory import peak_memory_mib
from centralized_ml_api.local.lambda_host.output import WorkerOutput, write_line
from centralized_ml_api.local.lambda_host.runtime_api import RuntimeApi
from centralized_ml_api.local.supervision.process import inherited_mark

if TYPE_CHECKING:
    from collections.abc import Callable

    from centralized_ml_api.local.lambda_host.specification import HostSpecification

INIT_SECONDS = 60.0
"""How long loading the function may take.

Lambda allows 10 s and then tries again within the function's timeout; one generous limit is kinder to a
laptop that is also loading models.
"""

_START = Path(__file__).with_name("worker_start.py")


class Worker:
    """A process with the function loaded or loading.

    `freed(worker)` is called whenever it can take an invocation, the first time once the function is loaded.
    """

    def __init__(self, specification: HostSpecification, *, freed: Callable[[Worker], None]) -> None:
        self._specification = specification
        self._freed = freed
        self._loaded = False
        self._born = time.monotonic()
        self._init_milliseconds = 0.0
        self._current: Invocation | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._output = WorkerOutput()
        self._api = RuntimeApi(function_arn=specification.function_arn, polled=self._polled)

    async def live(self) -> Failed | None:
        """Starts the process and returns when it has ended and left nothing behind; cancelling ends it.

        Returns why the function was never loaded; None when it was.
        """
        temporary = Path(tempfile.mkdtemp(prefix="mlapi-function-", dir=self._specification.scratch))
        try:
            status = await self._run(temporary)
        finally:
            self._kill()
            if self._current is not None:
                self._current.settle(Failed(503, "the function is being stopped"))
            await self._api.stop()
            self._output.close()
            shutil.rmtree(temporary, ignore_errors=True)
        return None if self._loaded else self._why_not_loaded(status)

    async def run(self, invocation: Invocation) -> Outcome:
        """Runs one invocation on this free worker; a timeout ends the worker."""
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
        watchdog = asyncio.get_running_loop().call_later(INIT_SECONDS, self._end_unless_loaded)
        try:
            status = await self._process.wait()
        finally:
            watchdog.cancel()
        if self._current is not None:
            self._crashed(self._current, status)
        return status

    async def _spawn(self, environment: dict[str, str]) -> asyncio.subprocess.Process:
        """Starts the process in a group of its own, so that what it starts can be ended with it."""
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
            self._api.init_failure = Failed(502, f"the function did not load within {INIT_SECONDS:g} seconds")
            self._kill()

    def _kill(self) -> None:
        """Ends the worker and everything it started; there is nothing to end when it never started."""
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
        write_line(f"RequestId: {invocation.request_id} Error: Runtime exited {_how(status)}")
        invocation.settle(Failed(502, f"the function's process ended {_how(status)} while it ran"))

    def _why_not_loaded(self, status: int) -> Failed:
        return self._api.init_failure or Failed(
            502, f"the function could not be loaded: its process ended {_how(status)}"
        )

    def _report(self, request_id: str, milliseconds: float) -> None:
        """The lines that Lambda ends a request with. The memory limit is reported, not enforced.

        An address-space limit would also count what libraries only reserve, and fail functions that run well
        on Lambda.
        """
        self._output.drain()
        write_line(f"END RequestId: {request_id}")
        limit = self._specification.memory_mib
        parts = [
            f"REPORT RequestId: {request_id}",
            f"Duration: {milliseconds:.2f} ms",
            f"Billed Duration: {math.ceil(milliseconds)} ms",
            f"Memory Size: {limit} MB",
        ]
        peak = peak_memory_mib(self._process.pid) if self._process else None
        if peak is not None:
            parts.append(f"Max Memory Used: {peak} MB")
        if self._init_milliseconds:
            parts.append(f"Init Duration: {self._init_milliseconds:.2f} ms")
            self._init_milliseconds = 0
        write_line("\t".join(parts))
        if peak is not None and peak > limit:
            write_line(
                f"{request_id} WARNING: {peak} MB used; Lambda would have ended the function at {limit} MB"
            )


def _how(status: int) -> str:
    """How a process ended, in words."""
    if status >= 0:
        return f"with exit status {status}"
    try:
        return f"by {signal.Signals(-status).name}"
    except ValueError:
        return f"by signal {-status}"
