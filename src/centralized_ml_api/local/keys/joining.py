"""`join.json` of the state folder: the code by which teams join, and whether they may.

Only its user may read it. It is read again for every team that joins, so a change holds at once.
"""

from __future__ import annotations

import json
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from centralized_ml_api.api.joining import new_code
from centralized_ml_api.errors import StartError
from centralized_ml_api.local.machine.private_file import write_private_file
from centralized_ml_api.organizer.journal import Journal
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from centralized_ml_api.organizer.journal import Actor
    from centralized_ml_api.plan.event import JoinPlan

LOCK_SECONDS = 10
VERSION = 1


@record
class Joining:
    """The code that was made here, and whether an organizer has closed the door."""

    code: str = field(repr=False)
    is_closed: bool = False


class JoinBook:
    """What is written in the state folder `folder` about joining; changes are noted in its journal.

    Raises:
        StartError: (every method) The file cannot be read or written, or is not of this version.
    """

    def __init__(self, folder: Path, by: Actor = "command line") -> None:
        self.path = folder / "join.json"
        self._journal = Journal(folder, by)
        self._lock = FileLock(folder / "join.lock", timeout=LOCK_SECONDS, mode=0o600)

    def load(self) -> Joining:
        """Returns what is written; at the first time a code is made."""
        return self._load() or self._change(lambda joining: joining)

    def code_of(self, plan: JoinPlan) -> str:
        """Returns the code that lets a team join: that of the config, or else the one that was made."""
        return plan.code or self.load().code

    def set_closed(self, *, is_closed: bool) -> None:
        """Closes the door, or opens it again."""
        self._change(lambda joining: replace(joining, is_closed=is_closed))
        self._journal.note("close joining" if is_closed else "open joining")

    def renew_code(self) -> None:
        """Makes another code; who has only the old one cannot join any more."""
        self._change(lambda joining: replace(joining, code=new_code()))
        self._journal.note("new code")

    def _load(self) -> Joining | None:
        try:
            return _parse(json.loads(self.path.read_bytes()))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unusable(f"cannot be read: {error.strerror or error}") from error
        except (ValueError, KeyError, TypeError):
            raise self._unusable("is not of this version") from None  # a parser's error may quote the file

    def _change(self, decide: Callable[[Joining], Joining]) -> Joining:
        try:
            with self._lock:
                before = self._load()
                after = decide(before or Joining(new_code()))
                if after != before:
                    written = {"version": VERSION, "code": after.code, "closed": after.is_closed}
                    write_private_file(self.path, json.dumps(written, indent=1))
                return after
        except Timeout as error:
            raise StartError(
                f"{self.path} was not changed: another mlapi has locked it for more than {LOCK_SECONDS} s",
                fix="try again when it is done",
            ) from error
        except OSError as error:
            raise StartError(f"{self.path} cannot be written: {error.strerror or error}") from error

    def _unusable(self, reason: str) -> StartError:
        return StartError(
            f"nobody can join: the file {self.path} {reason}",
            fix="move it away: another code is made then",
        )


def _parse(value: dict[str, Any]) -> Joining:
    if value["version"] != VERSION or not isinstance(value["code"], str) or not value["code"]:
        raise ValueError
    return Joining(value["code"], bool(value["closed"]))
