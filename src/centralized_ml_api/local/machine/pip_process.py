"""Runs pip with all of the user's settings, in its own process group."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from centralized_ml_api.local.machine.child_environment import inherited_environment

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence
    from pathlib import Path

OPTIONS = ("--no-input", "--disable-pip-version-check", "--progress-bar", "raw")
"""For every download: pip asks nothing, and reports its progress in lines that `read_progress` reads."""

_PROGRESS = re.compile(r"Progress (\d+) of (\d+)")
_STOP_SECONDS = 5


@contextmanager
def start_pip(
    arguments: Sequence[str], settings: Mapping[str, str], cwd: Path | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Runs pip; at the end of the block it is gone with everything that it started, whatever happened.

    Args:
        arguments: The arguments for pip, passed without a shell.
        settings: Environment variables, added to the user's.
        cwd: The folder that relative paths start from; None is the current one.
    """
    process = subprocess.Popen(  # noqa: S603  no shell
        # -P: do not run a pip.py from the current folder.
        [sys.executable, "-P", "-m", "pip", *arguments],
        env={**inherited_environment(), **settings, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"},
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    try:
        yield process
    finally:
        _stop(process)


def read_lines(process: subprocess.Popen[str]) -> Generator[str, None, None]:
    """Yields its output line by line until it closes it."""
    if process.stdout:
        with process.stdout as stdout:
            yield from stdout


def read_progress(line: str) -> tuple[int, int] | None:
    """Returns the bytes that pip has downloaded, and their total; None for any other line. Pure."""
    found = _PROGRESS.match(line)
    return (int(found[1]), int(found[2])) if found else None


def _stop(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
    with suppress(ProcessLookupError):  # what the build of a package left running
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
