"""A child process: its output is read and logged, and it ends with everything it started, on every path."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from centralized_ml_api.api.keys import hide_keys, new_key
from centralized_ml_api.errors import StartError
from centralized_ml_api.local.launch import LINE_LIMIT_BYTES, Launch
from centralized_ml_api.local.supervision.child_setup import MARK
from centralized_ml_api.local.supervision.process import (
    LAST_LINES,
    Process,
    ServerLog,
    start_process,
)
from support.waiting import until, wait_until

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


def test_it_inherits_the_mark_and_nothing_else_that_it_was_not_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MARK, "/a/state/folder")
    monkeypatch.setenv("SECRET_OF_THE_USER", "hunter2")
    launch = Launch((sys.executable, "-c", "import os; print(sorted(os.environ))"), {"LC_ALL": "C"}, tmp_path)

    async def run() -> ServerLog:
        log = ServerLog(tmp_path / "log")
        await (await start_process(launch, log)).wait()
        return log

    assert asyncio.run(run()).last_lines() == [f"['LC_ALL', '{MARK}']"]


@pytest.mark.skipif(sys.platform != "linux", reason="only there are stacks of threads taken from it")
@pytest.mark.parametrize("stack_bytes", [None, 2**26])
def test_its_threads_have_as_much_stack_as_it_asks_for(tmp_path: Path, stack_bytes: int | None) -> None:
    ours, _ = resource.getrlimit(resource.RLIMIT_STACK)
    code = "import resource; print(resource.getrlimit(resource.RLIMIT_STACK)[0])"
    launch = replace(python(code, tmp_path), stack_bytes=stack_bytes)

    async def run() -> ServerLog:
        log = ServerLog(tmp_path / "log")
        await (await start_process(launch, log)).wait()
        return log

    assert asyncio.run(run()).last_lines() == [str(stack_bytes or ours)]


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


def test_keeps_every_line_and_remembers_the_last(tmp_path: Path) -> None:
    log = ServerLog(tmp_path / "model.log")
    for number in range(LAST_LINES + 5):
        log.write(b"line %d\n" % number)
    assert (tmp_path / "model.log").read_bytes().count(b"\n") == LAST_LINES + 5
    assert log.last_lines(2) == [f"line {LAST_LINES + 3}", f"line {LAST_LINES + 4}"]


def test_takes_at_most_twice_its_limit(tmp_path: Path) -> None:
    log = ServerLog(tmp_path / "model.log", limit_bytes=1000)
    for _ in range(505):
        log.write(b"x" * 99)
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= 2000
    assert {file.name for file in tmp_path.iterdir()} == {"model.log", "model.log.1"}


def test_a_disk_that_takes_nothing_loses_lines_only_from_the_file(tmp_path: Path) -> None:
    log = ServerLog(Path("/dev/full") if Path("/dev/full").exists() else tmp_path / "no" / "such" / "folder")
    log.write(b"still heard\n")
    assert log.last_lines() == ["still heard"]


def test_bytes_that_are_no_text_do_not_stop_it(tmp_path: Path) -> None:
    log = ServerLog(tmp_path / "model.log")
    log.write(b"\xff\xfe\n")
    assert log.last_lines() == ["\ufffd\ufffd"]


def test_what_no_log_may_have_is_neither_written_nor_shown(tmp_path: Path) -> None:
    key = new_key()
    log = ServerLog(tmp_path / "a.log", hide=hide_keys)
    log.write(f"refused {key} \xff\n".encode("latin-1"))
    log.write(key.encode())
    assert key not in (tmp_path / "a.log").read_text() + str(log.last_lines())
    assert len((tmp_path / "a.log").read_text().splitlines()) == 2


def _runs(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
