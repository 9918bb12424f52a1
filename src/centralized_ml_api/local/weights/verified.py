"""What a file was when it was verified, so that a later start need not hash it again."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from centralized_ml_api.local.weights.digest import hash_file

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.local.weights.watch import Watch

_NAME = ".verified.json"


@dataclass(frozen=True, slots=True)
class Verified:
    """Size in bytes, time of the last change in nanoseconds, SHA-256 in hex."""

    size: int
    mtime_ns: int
    sha256: str

    @classmethod
    def of(cls, file: Path, sha256: str) -> Verified:
        """What `file`, whose digest was just taken, is now."""
        stat = file.stat()
        return cls(stat.st_size, stat.st_mtime_ns, sha256)


def load_verified(folder: Path) -> Verified | None:
    """What was written into `folder`; None when there is nothing or it cannot be read."""
    try:
        return Verified(**json.loads((folder / _NAME).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def save_verified(folder: Path, verified: Verified) -> None:
    """Writes it into `folder`, in one step."""
    new = folder / f"{_NAME}.new"
    new.write_text(json.dumps(asdict(verified)))
    new.replace(folder / _NAME)


def is_unchanged(file: Path, verified: Verified, folder: Path, watch: Watch) -> bool:
    """Whether `file` is what it was; one with another time is hashed, and `folder` told the new time."""
    try:
        now = Verified.of(file, verified.sha256)
        if now == verified:
            return True
        if now.size != verified.size or hash_file(file, watch) != verified.sha256:
            return False
    except OSError:
        return False
    with suppress(OSError):  # a cache that cannot be written costs a hash at each start, no more
        save_verified(folder, now)
    return True
