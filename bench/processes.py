"""Other programs' processes: started on given cores, and always stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

STOP_SECONDS = 10
START_SECONDS = 120
_STEP_SECONDS = 0.05


def pin(cores: str) -> list[str]:
    """Returns the prefix of a command that may use only these cores, such as `0` or `0,2`."""
    return ["taskset", "--cpu-list", cores]


@contextlib.contextmanager
def on_cores(pid: int, cores: str) -> Iterator[None]:
    """Moves all threads of a process and of its descendants to these cores until the block ends."""
    root = psutil.Process(pid)
    family = (root, *root.children(recursive=True))
    threads = [thread.id for process in family for thread in process.threads()]
    before = {thread: os.sched_getaffinity(thread) for thread in threads}
    wanted = frozenset(map(int, cores.split(",")))
    _move(dict.fromkeys(threads, wanted))
    try:
        yield
    finally:
        _move(before)


@contextlib.contextmanager
def start(
    command: Sequence[str],
    *,
    log: Path,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Runs a process, with its output in `log`; it and its descendants end with the block."""
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603  # commands of the scenarios
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
            cwd=folder,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        _end(process)


def wait_for_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Waits until a process listens on this port of loopback.

    Raises:
        RuntimeError: The process ended, or did not listen in time. The message has the end of its output.
    """
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(_STEP_SECONDS)
    said = log.read_text(encoding="utf-8", errors="replace")[-2000:]
    raise RuntimeError(f"{process.args!r} does not listen on port {port}:\n{said}")


def free_port() -> int:
    """Returns a free port of loopback."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def processor_seconds(pid: int) -> float:
    """Returns the processor seconds of a process and its living descendants, including kernel time."""
    root = psutil.Process(pid)
    total = 0.0
    for process in (root, *root.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system
    return total


def _move(threads: Mapping[int, Iterable[int]]) -> None:
    for thread, cores in threads.items():
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(thread, cores)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Stops the process group and descendants outside it: SIGTERM first, then SIGKILL."""
    family = _family(process.pid)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    _, alive = psutil.wait_procs(family, timeout=STOP_SECONDS)
    for survivor in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            survivor.kill()
    process.wait(STOP_SECONDS)


def _family(pid: int) -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    return []
