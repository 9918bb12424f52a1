"""What is written into the store, in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.local.usage import tables
from centralized_ml_api.local.usage.counting import count_calls

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from centralized_ml_api.local.usage.line import Call

MOST_PAIRS = 10_000
"""Of team and model that have a row of their own."""


class Writing:
    """What can be done in one transaction."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def position(self, part: str) -> int:
        """Up to where a part of the log was read, in bytes."""
        row = self._database.execute(tables.POSITION, (part,)).fetchone()
        return int(row[0]) if row else 0

    def advance(self, part: str, offset: int) -> None:
        """The part was read up to there."""
        self._database.execute(tables.SET_POSITION, (part, offset))
        self._database.execute(tables.FORGET_POSITIONS, (tables.KEPT_POSITIONS,))

    def add_unreadable(self, lines: int) -> None:
        """So many lines more were no calls."""
        self._database.execute(tables.ADD_UNREADABLE, (lines,))

    def add(self, calls: Iterable[Call]) -> None:
        """Counts the calls."""
        pairs: dict[tuple[str, str], int] = {}
        rows = []
        for (hour, team, model, status, bucket), count in count_calls(calls).items():
            if (team, model) not in pairs:
                pairs[team, model] = self._pair(team, model)
            rows.append((hour, pairs[team, model], status, bucket, *count.as_row()))
        self._database.executemany(tables.ADD, rows)

    def _pair(self, team: str, model: str) -> int:
        """The number of a team and a model; that of all others once there are too many."""
        row = self._database.execute(tables.PAIR, (team, model)).fetchone()
        if row is None and self._database.execute(tables.PAIRS).fetchone()[0] >= MOST_PAIRS:
            team = model = tables.OTHERS
            row = self._database.execute(tables.PAIR, (team, model)).fetchone()
        if row is None:
            row = self._database.execute(tables.ADD_PAIR, (team, model)).fetchone()
        return int(row[0])

    def prune(self, *, before_hour: int, fold_before_hour: int) -> None:
        """Drops what is older than the one, makes days of what is older than the other."""
        self._database.execute(tables.DROP_OLD, (before_hour,))
        if self._database.execute(tables.IS_TO_FOLD, (fold_before_hour,)).fetchone():
            self._database.execute(tables.FOLD, (fold_before_hour,))
            self._database.execute(tables.DROP_OLD, (fold_before_hour,))
            self._database.execute(tables.TAKE_FOLDED)
            self._database.execute(tables.DROP_FOLDED)
        self._database.execute(tables.DROP_PAIRS)
