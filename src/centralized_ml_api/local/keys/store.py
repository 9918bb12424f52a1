"""`keys.json` of the state folder: the one place where the keys of one machine are kept.

Only its user may read it. It survives `mlapi down`; whoever changes it holds a lock meanwhile and replaces it
as a whole, so that nobody ever reads half of it and no change is lost.
"""

from __future__ import annotations

import json
import os
from datetime import datetime
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from centralized_ml_api.api.keys import is_key
from centralized_ml_api.errors import StartError
from centralized_ml_api.local.keys.record import FormerSecret, TeamRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

LOCK_SECONDS = 10
VERSION = 1

Records = tuple[TeamRecord, ...]


class KeyStore:
    """The keys in the state folder `folder`.

    Raises:
        StartError: (every method) the file cannot be read or written, or is none of this version's.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "keys.json"
        self._lock = FileLock(folder / "keys.lock", timeout=LOCK_SECONDS, mode=0o600)

    def load(self) -> Records | None:
        """The records, or None when there is no file."""
        try:
            return _read(json.loads(self.path.read_bytes()))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unusable(f"cannot be read: {error.strerror or error}") from error
        except (ValueError, KeyError, TypeError):
            # Not chained: a parser's error may quote the file, and the file is all keys.
            raise self._unusable("is not a file of keys of this version") from None

    def change(self, decide: Callable[[Records], Records]) -> Records:
        """Replaces the records by what `decide` makes of them, and gives that; others wait meanwhile."""
        try:
            with self._lock:
                before = self.load()
                after = decide(before or ())
                if after != before:
                    self._write(after)
                return after
        except Timeout as error:
            raise self._unusable(f"is held by another mlapi for more than {LOCK_SECONDS} s") from error
        except OSError as error:
            raise self._unusable(f"cannot be written: {error.strerror or error}") from error

    def mark(self) -> object:
        """Something that is another one after every change; None when there is no file. Quick."""
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns

    def restore(self, records: Records) -> None:
        """Writes these records where the file is gone; not while its folder is gone too."""
        if records and self.path.parent.is_dir():
            self.change(lambda found: found or records)

    def _write(self, records: Records) -> None:
        draft = self.path.with_name(".keys.json.new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump({"version": VERSION, "teams": [_plain(one) for one in records]}, file, indent=1)
            file.flush()
            os.fsync(file.fileno())  # a key that was given out must not be lost with the power
        draft.replace(self.path)

    def _unusable(self, reason: str) -> StartError:
        return StartError(
            f"the keys in {self.path} cannot be used: the file {reason}",
            fix="move it away: an API that runs writes the keys that it knows anew; "
            "without one, the next `mlapi up` makes new keys for all teams",
        )


def _read(value: dict[str, Any]) -> Records:
    if value["version"] != VERSION or not isinstance(value["teams"], list):
        raise ValueError
    return tuple(_record(one) for one in value["teams"])


def _record(value: dict[str, Any]) -> TeamRecord:
    former = tuple(FormerSecret(_key(one["key"]), _instant(one["until"])) for one in value["former"])
    key = None if value["key"] is None else _key(value["key"])
    return TeamRecord(str(value["team"]), key, former, bool(value["listed"]))


def _key(value: str) -> str:
    """The checksum finds what was damaged or typed; a key that opens nothing is found by a team instead."""
    if not is_key(value):
        raise ValueError
    return value


def _instant(value: str) -> datetime:
    """One without a zone cannot be compared with now."""
    instant = datetime.fromisoformat(value)
    if instant.tzinfo is None:
        raise ValueError
    return instant


def _plain(record: TeamRecord) -> dict[str, Any]:
    former: Sequence[dict[str, str]] = [
        {"key": one.key, "until": one.until.isoformat()} for one in record.former
    ]
    return {"team": record.team, "listed": record.listed, "key": record.key, "former": former}
