"""A child process: its output is read, and it ends with everything it started, on every path."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.launch import Launch
from centralized_ml_api.local.supervision.process import LINE_LIMIT_BYTES, Process, ServerLog, start_process
from support.waiting import until, wait_until

if TYPE_CHECKING:
    from pathlib import Path

FOREVER = "import time\nwhile True: time.sleep(60)"
STUBBORN = (
    f"import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('deaf', flush=True)\n{FOREVER}"
)
PARENT_OF_ONE = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {FOREVER!r}])
print(child.pid, flush=True)
{FOREVER}
"""


def python(code: str, tmp_path: Path, *, stdin: bytes = b"") -> Launch:
    return Launch((sys.executable, "-c", code), dict(os.environ), tmp_path, stdin)


async def ended(code: str, tmp_path: Path, *, stdin: bytes = b"") -> tuple[int, ServerLog]:
    log = ServerLog(tmp_path / "log")
    process = await start_process(python(code, tmp_path, stdin=stdin), log)
    return await process.wait(), log


def test_its_output_and_status_are_known(tmp_path: Path) -> None:
    status, log = asyncio.run(
        ended("import sys; print('out'); sys.stdout.flush(); sys.exit('oh no')", tmp_path)
    )
    assert status == 1
    assert log.last_lines() == ["out", "oh no"]


def test_it_reads_what_it_was_given(tmp_path: Path) -> None:
    _, log = asyncio.run(ended("import sys; print(len(sys.stdin.read()))", tmp_path, stdin=b"x" * 200_000))
    assert log.last_lines() == ["200000"]


def test_a_child_that_does_not_read_its_input_is_no_error(tmp_path: Path) -> None:
    status, _ = asyncio.run(ended("pass", tmp_path, stdin=b"x" * 2_000_000))
    assert status == 0


def test_an_endless_line_does_not_stop_the_reading(tmp_path: Path) -> None:
    length = 3 * LINE_LIMIT_BYTES + 7
    status, _ = asyncio.run(ended(f"print('x' * {length}); print('after')", tmp_path))
    assert status == 0
    written = (tmp_path / "log").read_text()
    assert written.count("x") == length
    assert written.endswith("after\n")


def test_a_program_that_does_not_exist_is_a_clear_error(tmp_path: Path) -> None:
    launch = Launch(("no-such-program-here",), {}, tmp_path)
    with pytest.raises(StartError, match="no-such-program-here could not be started"):
        asyncio.run(start_process(launch, ServerLog(tmp_path / "log")))


async def _with_grandchild(tmp_path: Path) -> tuple[Process, int]:
    log = ServerLog(tmp_path / "log")
    process = await start_process(python(PARENT_OF_ONE, tmp_path), log)
    await until(log.last_lines, "the child has started its own child")
    return process, int(log.last_lines()[0])


def test_stopping_ends_what_it_started_too(tmp_path: Path) -> None:
    async def scenario() -> list[int]:
        process, grandchild = await _with_grandchild(tmp_path)
        await process.stop(grace_seconds=5)
        return [process.pid, grandchild]

    pids = asyncio.run(scenario())
    wait_until(lambda: not any(_runs(pid) for pid in pids), f"the processes {pids} are gone")


def test_what_it_started_ends_when_it_is_killed(tmp_path: Path) -> None:
    async def scenario() -> int:
        process, grandchild = await _with_grandchild(tmp_path)
        os.kill(process.pid, signal.SIGKILL)
        assert await process.wait() == -signal.SIGKILL
        return grandchild

    grandchild = asyncio.run(scenario())
    wait_until(lambda: not _runs(grandchild), "the grandchild is gone")


def test_one_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    async def scenario() -> int:
        log = ServerLog(tmp_path / "log")
        process = await start_process(python(STUBBORN, tmp_path), log)
        await until(log.last_lines, "it ignores SIGTERM")
        await process.stop(grace_seconds=0.1)
        return await process.wait()

    assert asyncio.run(scenario()) == -signal.SIGKILL


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_it_dies_with_us_even_when_we_are_killed(tmp_path: Path) -> None:
    supervisor = f"""
import asyncio, os, sys
from pathlib import Path
from centralized_ml_api.local.launch import Launch
from centralized_ml_api.local.supervision.process import ServerLog
from centralized_ml_api.local.supervision.process import start_process

async def main():
    launch = Launch((sys.executable, "-c", {FOREVER!r}), dict(os.environ), Path({str(tmp_path)!r}))
    process = await start_process(launch, ServerLog(Path({str(tmp_path / "log")!r})))
    print(process.pid, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", supervisor], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    wait_until(lambda: not _runs(child), "the child is gone")


def _runs(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
