"""The counts of calls in one file of the state folder: an SQLite database that only grows to a bound.

Hours older than two weeks become days, days older than 400 are dropped; past 10,000 pairs of team and
model, further ones are counted as one (`writing.MOST_PAIRS`).
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from centralized_ml_api.local.usage import tables
from centralized_ml_api.local.usage.writing import Writing
from centralized_ml_api.plan.usage.build import CallCount
from centralized_ml_api.plan.usage.types import NOBODY, HourUsage, TeamDay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

STORE_NAME = "usage.db"
KEEP_HOURS_DAYS = 14
KEEP_DAYS = 400
_BUSY_SECONDS = 30.0
_SECONDS_AN_HOUR = 3600
_HOURS_A_DAY = 24
_EPOCH = date(1970, 1, 1)


class UsageStore:
    """The counts in the file `path`; several processes may use one at the same time.

    The file (mode 0600) is made by the first use that writes or reads. Every method may raise
    `sqlite3.Error`: the file is damaged, or the disk is full.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives the seconds since the epoch."""
        self.path = path
        self._clock = clock
        self._pruned_hour = 0

    def requests_by_team(self, day: date) -> dict[str, int]:
        """How many calls of each team were let through on a day of UTC: all but those answered 401, 403, 429.

        As far as they were collected: see `UsageCollector.collect`.
        """
        first = _hour(datetime(day.year, day.month, day.day, tzinfo=UTC))
        with self._open() as database:
            return dict(database.execute(tables.REQUESTS_BY_TEAM, (first, first + _HOURS_A_DAY)).fetchall())

    def load_counts(self, since: datetime | None) -> list[CallCount]:
        """The counts of all calls that began in the hour of `since` or later; None for all."""
        with self._open() as database:
            return [CallCount(*row) for row in database.execute(tables.COUNTS, (_hour(since),))]

    def load_hours(self, since: datetime | None) -> list[HourUsage]:
        """The calls of every hour in which there were any, from the hour of `since` on; None for all."""
        with self._open() as database:
            rows = database.execute(tables.HOURS, (_hour(since),)).fetchall()
        return [
            HourUsage(datetime.fromtimestamp(hour * _SECONDS_AN_HOUR, UTC), requests, errors)
            for hour, requests, errors in rows
        ]

    def load_days(self, since: datetime | None) -> list[TeamDay]:
        """The calls of each team that were let through, by day, from the hour of `since` on; None for all."""
        with self._open() as database:
            rows = database.execute(tables.TEAM_DAYS, (_hour(since), NOBODY)).fetchall()
        return [TeamDay(team, _EPOCH + timedelta(days=day), requests) for team, day, requests in rows]

    def load_unreadable(self) -> int:
        """How many lines of the log were no calls."""
        with self._open() as database:
            lines: int = database.execute(tables.UNREADABLE).fetchone()[0]
        return lines

    @contextlib.contextmanager
    def write(self) -> Iterator[Writing]:
        """All that is written in the block, or nothing; meanwhile nobody else writes."""
        with self._open() as database:
            database.execute("BEGIN IMMEDIATE")
            try:
                yield Writing(database)
                database.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    database.execute("ROLLBACK")
                raise

    def prune(self) -> None:
        """Makes days of old hours, and drops old days; once an hour is enough."""
        hour = int(self._clock() // _SECONDS_AN_HOUR)
        if hour == self._pruned_hour:
            return
        today = hour // _HOURS_A_DAY
        fold = (today - KEEP_HOURS_DAYS) * _HOURS_A_DAY
        with self.write() as writing:
            writing.prune(before_hour=(today - KEEP_DAYS) * _HOURS_A_DAY, fold_before_hour=fold)
        self._pruned_hour = hour

    def set_aside(self) -> None:
        """Renames a damaged file to `<name>.damaged`; the next use begins another."""
        with contextlib.suppress(OSError):
            self.path.replace(self.path.with_name(f"{self.path.name}.damaged"))

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Opened anew each time: the state folder may be deleted and made again while we run."""
        with contextlib.suppress(OSError):  # SQLite says what is wrong
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None)
        with contextlib.closing(connection) as database:
            if not database.execute(tables.IS_MADE).fetchone():
                database.executescript(tables.SCHEMA)
            yield database


def _hour(instant: datetime | None) -> int:
    return int(instant.timestamp() // _SECONDS_AN_HOUR) if instant else 0
