"""`requirements.txt`: which environment fits it, and pip, which installs it with the user's own settings."""

from __future__ import annotations

import hashlib
import re
import sys
import sysconfig
from contextlib import closing
from typing import TYPE_CHECKING

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.machine.fingerprint import fingerprint
from centralized_ml_api.local.machine.pip_failure import read_failure
from centralized_ml_api.local.machine.pip_process import OPTIONS, read_lines, read_progress, start_pip
from centralized_ml_api.local.weights.disk import OTHER_DISK, render_bytes
from centralized_ml_api.local.weights.progress import read_in_background

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from centralized_ml_api.local.weights.progress import Monitor

FILE = "requirements.txt"
LIBRARY = "waitress"

_KEY_LENGTH = 16
_LAYOUT = "1"
"""Changes when environments are built in another way."""

_COMMENT = re.compile(r"(^|\s)#.*")
_REFERS = re.compile(r"(?:-r|-c|--requirement|--constraint)[\s=]*(.+)")
_WORDS = re.compile(r"[\s=@,]+")

_DOWNLOADING = re.compile(r"\s*Downloading (\S+)")
_UNPACKING = "Installing collected packages"
_LARGE_BYTES = 5_000_000
_INSTALLING = "installing packages"
_READ_ON = "correct requirements.txt; the lines above, or the model's log, have everything that pip printed"


def find_requirements(code: Path) -> Path | None:
    """Returns the folder's `requirements.txt`, if it has one."""
    file = code / FILE
    return file if file.is_file() else None


def build_key(code: Path) -> str:
    """Returns the name of the environment that fits a folder, equal for requirements that mean the same.

    Comments and blank lines do not count; this Python and platform do. A file or folder of this machine that
    a line names (`./my-wheel.whl`, `-e ../lib`) counts with its location and its content.
    """
    from importlib.metadata import version  # noqa: PLC0415  # for models with requirements alone

    machine = (_LAYOUT, sys.version, sys.base_prefix, sysconfig.get_platform(), version(LIBRARY))
    digest = hashlib.sha256()
    for fact in (*machine, *_read_lines_of(code / FILE, code, set())):
        digest.update(fact.encode(errors="surrogateescape") + b"\0")
    return digest.hexdigest()[:_KEY_LENGTH]


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
        say: Called with how far it is, in a few words.
        log: Called with each line that pip prints.

    Raises:
        StartError: pip could not install it; the message has the line that says why.
        FetchCancelledError: The caller has cancelled it.
    """
    arguments = ["--python", str(python), "install", *OPTIONS, "--requirement", str(requirements)]
    # PIP_USER: somebody's default of `--user` cannot work in an environment, and pip would refuse.
    settings = {"TMPDIR": str(work), "PIP_USER": "0"}
    say(_INSTALLING)
    with start_pip(arguments, settings, requirements.parent) as process:
        output: list[str] = []
        with closing(read_in_background(read_lines(process), monitor)) as lines:
            for line in lines:
                _take(line, output, say, log)
        status = process.wait()
    if status:
        raise explain_failure(output, requirements)


def explain_failure(output: Sequence[str], requirements: Path) -> StartError:
    """Builds the error from pip's output: its own last error, and a fix if the cause is known. Pure.

    Args:
        output: What pip printed, without its progress.
        requirements: The file that it was given.
    """
    packages = f"the packages of {requirements.parent.name}/{requirements.name}"
    failure = read_failure(output)
    if failure.cause == "full":
        return StartError(f"no room for {packages}", fix=OTHER_DISK)
    return StartError(f"{packages} could not be installed: {failure.reason}", fix=failure.fix or _READ_ON)


def _read_lines_of(file: Path, folder: Path, seen: set[Path]) -> Iterator[str]:
    """Yields the lines of a requirements file and of those that it refers to, and facts about local files."""
    if file in seen or not file.is_file():
        return
    seen.add(file)
    for raw in file.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        line = _COMMENT.sub("", raw).strip()
        referred = _REFERS.match(line)
        if referred:
            yield from _read_lines_of(file.parent / referred[1].strip(), folder, seen)
        elif line:
            yield line
            yield from _local_facts(line, folder)


def _local_facts(line: str, folder: Path) -> Iterator[str]:
    for word in _WORDS.split(line):
        path = folder / word.removeprefix("file://").strip("\"'")
        if ("/" in word or word.startswith(".")) and path.exists():
            yield f"{path.resolve()} {fingerprint(path)}"


def _take(line: str, output: list[str], say: Callable[[str], None], log: Callable[[bytes], None]) -> None:
    progress = read_progress(line)
    if not progress:
        output.append(line.rstrip())
        log(line.encode())
        if line.startswith(_UNPACKING):
            say(_INSTALLING)
    elif progress[1] > _LARGE_BYTES:
        done = f"{render_bytes(progress[0])} of {render_bytes(progress[1])}"
        say(f"{_INSTALLING}: {_package_of(output)}{done}")


def _package_of(output: Sequence[str]) -> str:
    """Returns what pip downloads, such as `torch 2.9.0, `, without what the wheel was built for."""
    found = _DOWNLOADING.match(output[-1]) if output else None
    return f"{' '.join(found[1].rpartition('/')[2].split('-')[:2])}, " if found else ""
