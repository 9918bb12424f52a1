"""pip, for an environment: the user's own, with the user's indexes, proxies, certificates and settings."""

from __future__ import annotations

import re
import sys
from contextlib import closing
from typing import TYPE_CHECKING

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.machine.pip_process import read_lines, start_pip
from centralized_ml_api.local.weights.disk import render_bytes
from centralized_ml_api.local.weights.pip_errors import find_connection_trouble
from centralized_ml_api.local.weights.progress import read_in_background

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from centralized_ml_api.local.weights.progress import Monitor

_PROGRESS = re.compile(r"Progress (\d+) of (\d+)")
_DOWNLOADING = re.compile(r"\s*Downloading (\S+)")
_LARGE_BYTES = 5_000_000
_SAYING = "installing packages"
_UNPACKING = "Installing collected packages"
_ERROR = "error: "
_CRASHED = "error: exception:"
"""Before a traceback of pip's own, whose last line says more."""

_FULL = ("No space left on device", "Disk quota exceeded")
_READ_ON = "correct requirements.txt; the lines before this one, or the model's log, have all that pip said"
_OPTIONS = ("--no-input", "--disable-pip-version-check", "--progress-bar", "raw")


def install_requirements(
    requirements: Path,
    python: Path,
    work: Path,
    monitor: Monitor,
    *,
    say: Callable[[str], None],
    log: Callable[[bytes], None],
) -> None:
    """Installs a requirements file into the environment of `python`.

    Args:
        requirements: The file; relative paths in it start at its folder. Hashes in it are checked.
        python: The environment's interpreter; it needs no pip.
        work: Where pip may unpack and build.
        monitor: Ends pip, and all that it started, when cancelled.
        say: Hears how far it is.
        log: Hears what pip says, line by line.

    Raises:
        StartError: pip could not install it; the message has the line that says why.
        FetchCancelledError: cancelled.
    """
    arguments = ["--python", str(python), "install", *_OPTIONS, "--requirement", str(requirements)]
    # PIP_USER: somebody's default of `--user` cannot work in an environment, and pip would refuse.
    settings = {"TMPDIR": str(work), "PIP_USER": "0"}
    say(_SAYING)
    with start_pip(arguments, settings, requirements.parent) as process:
        output: list[str] = []
        with closing(read_in_background(read_lines(process), monitor)) as lines:
            for line in lines:
                _take(line, output, say, log)
        status = process.wait()
    if status:
        raise explain_failure(output, requirements)


def _take(line: str, output: list[str], say: Callable[[str], None], log: Callable[[bytes], None]) -> None:
    progress = _PROGRESS.match(line)
    if not progress:
        output.append(line.rstrip())
        log(line.encode())
        if line.startswith(_UNPACKING):
            say(_SAYING)
    elif (total := int(progress[2])) > _LARGE_BYTES:
        say(f"{_SAYING}: {_package_of(output)}{render_bytes(int(progress[1]))} of {render_bytes(total)}")


def _package_of(output: Sequence[str]) -> str:
    """What pip downloads, such as `torch 2.9.0, `; a wheel's name goes on with what it was built for."""
    found = _DOWNLOADING.match(output[-1]) if output else None
    return f"{' '.join(found[1].rpartition('/')[2].split('-')[:2])}, " if found else ""


def explain_failure(output: Sequence[str], requirements: Path) -> StartError:
    """What pip's output comes to: its own last error, and what to do where we know. Pure.

    Args:
        output: What pip said, without its progress.
        requirements: The file that it was given.
    """
    text = "\n".join(output)
    packages = f"the packages of {requirements.parent.name}/{requirements.name}"
    if any(mark in text for mark in _FULL):
        return StartError(
            f"no room for {packages}",
            fix="free some space, or name a folder on another disk: MLAPI_CACHE=/a/folder",
        )
    if "No module named pip" in text:
        return StartError(
            f"{packages} could not be installed: pip is missing from {sys.prefix}",
            fix="install it: `python -m ensurepip`, or `uv pip install pip`",
        )
    trouble = find_connection_trouble(text)
    if trouble:
        return StartError(
            f"{packages} could not be installed: pip cannot ask a package index: {trouble[0]}", fix=trouble[1]
        )
    return StartError(f"{packages} could not be installed: {_last_error(output)}", fix=_READ_ON)


def _last_error(output: Sequence[str]) -> str:
    lines = [line.strip() for line in output if line.strip()] or ["pip said nothing"]
    errors = [line for line in lines if line.lower().startswith(_ERROR) and line.lower() != _CRASHED]
    return errors[-1][len(_ERROR) :] if errors else lines[-1]
