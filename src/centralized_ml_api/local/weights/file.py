"""A path: weights that are on this machine already, a file or a folder."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from centralized_ml_api.errors import WeightsError
from centralized_ml_api.local.weights.digest import check_digest, hash_file
from centralized_ml_api.local.weights.verified import Verified, is_unchanged, load_verified, save_verified

if TYPE_CHECKING:
    from collections.abc import Sequence

    from centralized_ml_api.config.weights import FileWeights
    from centralized_ml_api.local.weights.watch import Watch


def find_file(source: FileWeights, folders: Sequence[Path]) -> Path:
    """The file or folder, in the first of `folders` that has it; absolute and `~` paths need none.

    Raises:
        WeightsError: it is in none of them; the message names every place.
    """
    places = _places(source, folders)
    for place in places:
        if place.exists():
            return place
    tried = " and ".join(str(place) for place in places)
    raise WeightsError(
        f"there is no {source.path}: looked for {tried}", fix="put it there, or correct the path"
    )


def _places(source: FileWeights, folders: Sequence[Path]) -> list[Path]:
    path = Path(source.path).expanduser()
    # Joining an absolute path gives that path, once per folder.
    return list(dict.fromkeys((folder / path).absolute() for folder in (folders or [Path.cwd()])))


def verify_file(file: Path, sha256: str | None, memory: Path, watch: Watch, *, what: str) -> None:
    """Checks the digest of a file that others may change; the folder `memory` remembers the last time.

    Raises:
        WeightsError: it has another digest, or cannot be read.
    """
    verified = load_verified(memory)
    if sha256 and file.is_dir():
        raise WeightsError(f"{what} is a folder, and #sha256= is of one file", fix="leave #sha256= out")
    known = verified is not None and verified.sha256 == sha256 and is_unchanged(file, verified, memory, watch)
    if sha256 is None or known:
        return
    try:
        check_digest(hash_file(file, watch), sha256, what=what, origin="the config")
    except OSError as exc:
        raise WeightsError(f"cannot read {file}: {exc.strerror}", fix="make it readable") from exc
    with suppress(OSError):  # a cache that cannot be written costs a hash at each start, no more
        memory.mkdir(parents=True, exist_ok=True)
        save_verified(memory, Verified.of(file, sha256))
