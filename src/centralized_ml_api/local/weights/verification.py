"""Whether a file is the one that is expected: its SHA-256, and a record that saves hashing it again."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING

from centralized_ml_api.errors import WeightsError
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from centralized_ml_api.local.weights.progress import Monitor

RECORD_NAME = ".verified.json"
_PIECE_BYTES = 1 << 20


@record
class Verified:
    """What a file was when it was verified: size in bytes, last change in nanoseconds, SHA-256 in hex."""

    size: int
    mtime_ns: int
    sha256: str

    @classmethod
    def of(cls, file: Path, sha256: str) -> Verified:
        """Returns what `file` is now; `sha256` has just been computed."""
        stat = file.stat()
        return cls(stat.st_size, stat.st_mtime_ns, sha256)


def hash_file(path: Path, monitor: Monitor) -> str:
    """Returns the SHA-256 of a file in lower-case hex.

    Raises:
        FetchCancelledError: The caller has cancelled the fetch.
        OSError: The file cannot be read.
    """
    digest = hashlib.sha256()
    total = path.stat().st_size
    done = 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
            done += len(piece)
            monitor.report("verifying", done, total)
    return digest.hexdigest()


def check_digest(found: str, expected: str | None, *, what: str, origin: str) -> None:
    """Compares a digest with the expected one, if there is one.

    Args:
        found: The digest of the file.
        expected: The digest it must have; None accepts any.
        what: The weights, for the message.
        origin: Who says what is expected: the config, or the host.

    Raises:
        WeightsError: They differ.
    """
    if expected in (None, found):
        return
    raise WeightsError(
        f"{what} is not the file that {origin} describes: its SHA-256 is {found}, expected {expected}",
        fix=f"find out which of the two is right; if the file was replaced on purpose, write #sha256={found}",
    )


def verify_file(file: Path, sha256: str | None, record_folder: Path, monitor: Monitor) -> None:
    """Checks the digest of a file that others may change.

    Args:
        file: The user's own file.
        sha256: The digest that the config names, if it does.
        record_folder: Remembers the last time; a record that cannot be written costs a hash at each start.
        monitor: Follows the hashing, and can end it.

    Raises:
        WeightsError: The file has another digest, or cannot be read.
    """
    verified = load_verified(record_folder)
    if sha256 and file.is_dir():
        raise WeightsError(
            f"{file} is a folder, and #sha256= is the digest of one file", fix="leave #sha256= out"
        )
    if sha256 is None:
        return
    if verified and verified.sha256 == sha256 and is_unchanged(file, verified, record_folder, monitor):
        return
    try:
        check_digest(hash_file(file, monitor), sha256, what=str(file), origin="the config")
    except OSError as exc:
        raise WeightsError(f"cannot read {file}: {exc.strerror}", fix="make it readable") from exc
    with suppress(OSError):
        record_folder.mkdir(parents=True, exist_ok=True)
        save_verified(record_folder, Verified.of(file, sha256))


def is_unchanged(file: Path, verified: Verified, record_folder: Path, monitor: Monitor) -> bool:
    """Returns whether `file` still is what `verified` says; if only its time differs, it is hashed.

    Args:
        file: The file.
        verified: What it was.
        record_folder: Gets the new time of a file that was hashed.
        monitor: Follows the hashing, and can end it.

    Raises:
        FetchCancelledError: The caller has cancelled the fetch.
    """
    if not is_same(file, verified, monitor):
        return False
    with suppress(OSError):  # a cache that cannot be written costs a hash at each start, no more
        now = Verified.of(file, verified.sha256)
        if now != verified:
            save_verified(record_folder, now)
    return True


def is_same(file: Path, verified: Verified, monitor: Monitor) -> bool:
    """Returns whether `file` still is what `verified` says, without writing anything.

    Args:
        file: The file of weights.
        verified: What was true of it when it was verified.
        monitor: Hears of the progress of hashing, and may cancel it.

    Raises:
        FetchCancelledError: The caller has cancelled the fetch.
    """
    try:
        now = Verified.of(file, verified.sha256)
        return now == verified or (now.size == verified.size and hash_file(file, monitor) == verified.sha256)
    except OSError:
        return False


def load_verified(folder: Path) -> Verified | None:
    """Returns the record of one file that `folder` has; None without a readable one."""
    try:
        return Verified(**json.loads((folder / RECORD_NAME).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def load_all_verified(folder: Path) -> dict[str, Verified]:
    """Returns the record of many files by path that `folder` has; empty without a readable one."""
    try:
        record = json.loads((folder / RECORD_NAME).read_text())
        return {path: Verified(**value) for path, value in record.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def save_verified(folder: Path, verified: Verified | Mapping[str, Verified]) -> None:
    """Writes the record of one file, or of many by path, into `folder`, in one step.

    Raises:
        OSError: It cannot be written.
    """
    record = (
        asdict(verified)
        if isinstance(verified, Verified)
        else {path: asdict(of_file) for path, of_file in verified.items()}
    )
    new = folder / f"{RECORD_NAME}.new"
    new.write_text(json.dumps(record))
    new.replace(folder / RECORD_NAME)
