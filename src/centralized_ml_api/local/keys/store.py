"""`keys.json` of the state folder: the only place where the keys of one machine are kept.

Only its user may read it, and it survives `mlapi down`. A change holds a lock and replaces the whole file:
nobody ever reads half of it, and no change is lost.
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
    from collections.abc import Callable
    from pathlib import Path

LOCK_SECONDS = 10
VERSION = 1

Records = tuple[TeamRecord, ...]


class KeyStore:
    """The keys in the state folder `folder`.

    Raises:
        StartError: (every method) The file cannot be read or written, or is not of this version.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "keys.json"
        self._lock = FileLock(folder / "keys.lock", timeout=LOCK_SECONDS, mode=0o600)

    def load(self) -> Records | None:
        """Returns the records, or None if there is no file.

        Raises:
            StartError: The file cannot be read, or is something else.
        """
        try:
            return _parse(json.loads(self.path.read_bytes()))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unusable(f"cannot be read: {error.strerror or error}") from error
        except (ValueError, KeyError, TypeError):
            # Not chained: a parser's error may quote the file, and the file is all keys.
            raise self._unusable("is not a file of keys of this version") from None

    def change(self, decide: Callable[[Records], Records]) -> Records:
        """Replaces the records with the result of `decide` and returns it; others wait meanwhile.

        Raises:
            StartError: Another process keeps the file locked, or it cannot be read or written.
        """
        try:
            with self._lock:
                before = self.load()
                after = decide(before or ())
                if after != before:
                    self._write(after)
                return after
        except Timeout as error:
            raise StartError(
                f"the keys in {self.path} were not changed: another mlapi has locked them for more than"
                f" {LOCK_SECONDS} s",
                fix="try again when it is done",
            ) from error
        except OSError as error:
            raise StartError(
                f"the keys were not changed: {self.path} cannot be written: {error.strerror or error}",
                fix="check the free space of the disk and the owner of the folder, then try again",
            ) from error

    def mark(self) -> object:
        """Returns something that differs after every change; None if there is no file. Quick."""
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns

    def restore(self, records: Records) -> None:
        """Writes these records if the file is gone, unless its folder is gone too."""
        if records and self.path.parent.is_dir():
            self.change(lambda found: found or records)

    def _write(self, records: Records) -> None:
        draft = self.path.with_name(".keys.json.new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump({"version": VERSION, "teams": [_to_json(record) for record in records]}, file, indent=1)
            file.flush()
            os.fsync(file.fileno())  # a key that was given out must not be lost with the power
        draft.replace(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)  # nor must its new name
        finally:
            os.close(folder)

    def _unusable(self, reason: str) -> StartError:
        return StartError(
            f"the keys in {self.path} cannot be used: the file {reason}",
            fix="move it away: a running API then writes its keys again; where none runs, the next start"
            " makes new keys for all teams",
        )


def _parse(value: dict[str, Any]) -> Records:
    if value["version"] != VERSION or not isinstance(value["teams"], list):
        raise ValueError
    return tuple(_parse_record(team) for team in value["teams"])


def _parse_record(value: dict[str, Any]) -> TeamRecord:
    former = tuple(
        FormerSecret(_check_key(secret["key"]), _parse_instant(secret["until"])) for secret in value["former"]
    )
    key = None if value["key"] is None else _check_key(value["key"])
    return TeamRecord(
        str(value["team"]), key, former, bool(value["listed"]), joined=bool(value.get("joined", False))
    )


def _check_key(value: str) -> str:
    """Finds a damaged or mistyped key by its checksum, before a team finds that its key does not work."""
    if not is_key(value):
        raise ValueError
    return value


def _parse_instant(value: str) -> datetime:
    """Refuses an instant without a time zone, which cannot be compared with now."""
    instant = datetime.fromisoformat(value)
    if instant.tzinfo is None:
        raise ValueError
    return instant


def _to_json(record: TeamRecord) -> dict[str, Any]:
    former = [{"key": secret.key, "until": secret.until.isoformat()} for secret in record.former]
    joined = {"joined": True} if record.joined else {}
    return {"team": record.team, "listed": record.listed, **joined, "key": record.key, "former": former}
