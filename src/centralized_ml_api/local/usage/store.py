"""The counts of calls in one file of the state folder: an SQLite database of bounded size.

Hours older than two weeks become days, and days older than 400 are deleted. Past 10,000 pairs of team and
model, all others are counted as one (`transaction.MAX_PAIRS`).
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from centralized_ml_api.local.usage import statements
from centralized_ml_api.local.usage.transaction import UsageTransaction
from centralized_ml_api.plan.usage.build import CallCount
from centralized_ml_api.plan.usage.tokens import Tokens
from centralized_ml_api.plan.usage.types import NOBODY, HourUsage, TeamDay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from centralized_ml_api.config.token_prices import TokenPrice

STORE_NAME = "usage.db"
KEEP_HOURS_DAYS = 14
KEEP_DAYS = 400
_BUSY_SECONDS = 30.0
_SECONDS_PER_HOUR = 3600
_HOURS_PER_DAY = 24
_TOKEN_COLUMNS = len(fields(Tokens))
_EPOCH = date(1970, 1, 1)


class UsageStore:
    """The counts in the file `path`, which several processes may use at the same time.

    The first method that reads or writes makes the file (mode 0600).

    Raises:
        sqlite3.Error: (every method) The file is damaged, or the disk is full.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        """Takes a clock that returns the seconds since the epoch."""
        self.path = path
        self._clock = clock
        self._pruned_hour = 0

    def requests_by_team(self, day: date) -> dict[str, int]:
        """Returns how many calls of each team count towards its quota on a UTC day.

        Those are the calls of a model, except those that the gateway refused.
        Only those collected so far: see `UsageCollector.collect`.
        """
        first = _hour(datetime(day.year, day.month, day.day, tzinfo=UTC))
        with self._open() as database:
            span = (first, first + _HOURS_PER_DAY, NOBODY)
            return dict(database.execute(statements.REQUESTS_BY_TEAM, span).fetchall())

    def load_counts(self, since: datetime | None) -> list[CallCount]:
        """Returns the counts of all calls that began in the hour of `since` or later; None for all."""
        with self._open() as database:
            rows = database.execute(statements.COUNTS, (_hour(since),)).fetchall()
        return [
            replace(CallCount(*row[:-_TOKEN_COLUMNS]), tokens=Tokens(*row[-_TOKEN_COLUMNS:])) for row in rows
        ]

    def load_team(self, team: str) -> tuple[int, Tokens]:
        """Returns how many calls of a team were let through, and the tokens of all its calls so far."""
        with self._open() as database:
            calls, *tokens = database.execute(statements.TEAM, (NOBODY, team)).fetchone()
        return calls, Tokens(*tokens)

    def load_hours(self, since: datetime | None) -> list[HourUsage]:
        """Returns the calls of each hour that had any, from the hour of `since` on; None for all."""
        with self._open() as database:
            rows = database.execute(statements.HOURS, (_hour(since),)).fetchall()
        return [
            HourUsage(datetime.fromtimestamp(hour * _SECONDS_PER_HOUR, UTC), *counted)
            for hour, *counted in rows
        ]

    def load_days(self, since: datetime | None) -> list[TeamDay]:
        """Returns each team's admitted calls by day, from the hour of `since` on; None for all."""
        with self._open() as database:
            rows = database.execute(statements.TEAM_DAYS, (_hour(since), NOBODY, NOBODY)).fetchall()
        return [TeamDay(team, _EPOCH + timedelta(days=day), requests) for team, day, requests in rows]

    def load_prices(self) -> dict[str, TokenPrice]:
        """Returns what tokens cost now, by model."""
        with self._open() as database:
            return UsageTransaction(database).load_prices()

    def load_unreadable(self) -> int:
        """Returns how many lines of the log were no calls."""
        with self._open() as database:
            lines: int = database.execute(statements.UNREADABLE).fetchone()[0]
        return lines

    @contextlib.contextmanager
    def write(self) -> Iterator[UsageTransaction]:
        """Writes all of the block or nothing; nobody else writes meanwhile."""
        with self._open() as database:
            database.execute("BEGIN IMMEDIATE")
            try:
                yield UsageTransaction(database)
                database.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    database.execute("ROLLBACK")
                raise

    def prune(self) -> None:
        """Merges old hours into days and deletes old days, once an hour."""
        hour = int(self._clock() // _SECONDS_PER_HOUR)
        if hour == self._pruned_hour:
            return
        today = hour // _HOURS_PER_DAY
        fold = (today - KEEP_HOURS_DAYS) * _HOURS_PER_DAY
        with self.write() as transaction:
            transaction.prune(before_hour=(today - KEEP_DAYS) * _HOURS_PER_DAY, fold_before_hour=fold)
        self._pruned_hour = hour

    def set_aside(self) -> None:
        """Renames a damaged file to `<name>.damaged`; the next use begins a new one."""
        with contextlib.suppress(OSError):
            self.path.replace(self.path.with_name(f"{self.path.name}.damaged"))

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Opens the file anew each time: the state folder may be deleted and made again while we run."""
        with contextlib.suppress(OSError):  # SQLite says what is wrong
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None)
        with contextlib.closing(connection) as database:
            if not database.execute(statements.IS_MADE).fetchone():
                database.executescript(statements.SCHEMA)
            elif _version(database) < len(statements.MIGRATIONS):
                _migrate(database)
            yield database


def _version(database: sqlite3.Connection) -> int:
    version: int = database.execute(statements.VERSION).fetchone()[0]
    return version


def _migrate(database: sqlite3.Connection) -> None:
    """Makes an older store one of today; whoever comes second finds it done."""
    database.execute("BEGIN IMMEDIATE")
    try:
        for migration in statements.MIGRATIONS[_version(database) :]:
            for statement in migration:
                database.execute(statement)
        database.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            database.execute("ROLLBACK")
        raise


def _hour(instant: datetime | None) -> int:
    return int(instant.timestamp() // _SECONDS_PER_HOUR) if instant else 0
