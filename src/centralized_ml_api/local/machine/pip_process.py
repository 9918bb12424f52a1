"""A pip of its own process group: the user's own pip, with all of the user's settings."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence
    from pathlib import Path

_STOP_SECONDS = 5


@contextmanager
def start_pip(
    arguments: Sequence[str], settings: Mapping[str, str], cwd: Path | None = None
) -> Iterator[subprocess.Popen[str]]:
    """A pip that is gone afterwards with all that it started, whatever happens.

    Args:
        arguments: For pip; no shell sees them.
        settings: Environment variables besides the user's own.
        cwd: Where relative paths start; None is the current folder.
    """
    process = subprocess.Popen(  # noqa: S603  no shell
        # -P: a pip.py in the user's folder is not pip.
        [sys.executable, "-P", "-m", "pip", *arguments],
        env={**os.environ, **settings, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"},
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
    """What it says, until it closes its output."""
    if process.stdout:
        with process.stdout as stdout:
            yield from stdout


def _stop(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
    with suppress(ProcessLookupError):  # what a build of a package left behind
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
