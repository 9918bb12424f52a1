"""The journal in the state folder: what organizers did, a line each, added at the end and never changed.

Only its user may read it. It holds no secrets: no key, no code.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from centralized_ml_api.api.event_end import render_instant
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Actor = Literal["command line", "screen"]
"""How an organizer acted: by `mlapi`, or on the organizer's screen."""

LONGEST_DETAIL = 300
_READ_BYTES = 64 * 1024


@record
class Deed:
    """What was done: when, how, to which entry or team (empty for the whole event), and more in words."""

    at: str
    by: str
    act: str
    subject: str = ""
    detail: str = ""


class Journal:
    """The journal in the state folder `folder`, for what is done in one way.

    Args:
        folder: The path of the state folder.
        by: How the organizer acts.
        now: Returns the present instant.
        name: The name of the file: that of what runs on this machine, or one for each stack.
    """

    def __init__(
        self,
        folder: Path,
        by: Actor = "command line",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        name: str = "journal.jsonl",
    ) -> None:
        self.path = folder / name
        self._by = by
        self._now = now

    def note(self, act: str, subject: str = "", detail: str = "") -> None:
        """Adds a line for what has been done. A disk that takes no more does not undo that.

        Args:
            act: What was done, such as `restart`.
            subject: The entry or team.
            detail: More in words; a long one is cut.
        """
        deed = Deed(render_instant(self._now()), self._by, act, subject, detail[:LONGEST_DETAIL])
        with contextlib.suppress(OSError):
            descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(descriptor, f"{json.dumps(asdict(deed))}\n".encode())  # one write: lines never mix
            finally:
                os.close(descriptor)

    def load(self, most: int) -> tuple[Deed, ...]:
        """Returns the latest deeds, the newest first; lines that are not whole are left out.

        Args:
            most: How many at most.

        Raises:
            OSError: The file cannot be read.
        """
        try:
            with self.path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - _READ_BYTES))
                lines = file.read().splitlines()
        except FileNotFoundError:
            return ()
        deeds = filter(None, map(_parse, reversed(lines)))
        return tuple(deed for _, deed in zip(range(most), deeds, strict=False))


def note_extension(journal: Journal, ends: datetime) -> None:
    """Notes that the end of the event was moved."""
    journal.note("extend", detail=f"to {render_instant(ends)}")


def note_not_applied(journal: Journal, reason: str) -> None:
    """Notes that what was just written into the config is not served yet."""
    journal.note("extend not applied", detail=reason)


def _parse(line: bytes) -> Deed | None:
    try:
        written = json.loads(line)
        return Deed(*(str(written[name]) for name in ("at", "by", "act", "subject", "detail")))
    except (ValueError, KeyError, TypeError):
        return None
