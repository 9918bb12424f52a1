"""Keeps accounts on disk: what is used, and which calls are under way. An SQLite database (WAL).

Everything of a batch is on the disk, or nothing is; not even a power failure takes back what is there.
Source: https://www.sqlite.org/pragma.html#pragma_synchronous
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.admission.accounts import SECONDS, Account, Charge, Need
from centralized_ml_api.local.admission.endings import Reservation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

CallId = tuple[str, int]
"""Identifies a call: the address of its connection, and the microsecond at which it began."""

ACCOUNTS_NAME = "accounts.db"
KEPT_SECONDS = 2 * 24 * 60 * 60
"""How long minutes, days, and calls whose end was never told are kept."""

_BUSY_SECONDS = 10.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS accounts (
    owner TEXT, unit TEXT, period TEXT, start INTEGER, used INTEGER NOT NULL,
    PRIMARY KEY (owner, unit, period, start)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS open (
    address TEXT, began INTEGER, reservation TEXT NOT NULL, PRIMARY KEY (address, began)
);
CREATE TABLE IF NOT EXISTS advances (
    process TEXT, owner TEXT, unit TEXT, period TEXT, start INTEGER, amount INTEGER NOT NULL,
    PRIMARY KEY (process, owner, unit, period, start)
) WITHOUT ROWID;
"""
_SET = """
INSERT INTO accounts VALUES (?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET used = used + excluded.used
"""
_USE_ADVANCES = """
INSERT INTO accounts
SELECT owner, unit, period, start, SUM(amount) FROM advances WHERE TRUE GROUP BY 1, 2, 3, 4
ON CONFLICT DO UPDATE SET used = used + excluded.used
"""
_MICRO = 1_000_000


@dataclass(slots=True)
class Batch:
    """Changes that are written together; `advances` are whole, the others come on top of what there is."""

    opened: dict[CallId, Reservation] = field(default_factory=dict)
    closed: list[CallId] = field(default_factory=list)
    charges: list[Charge] = field(default_factory=list)
    advances: dict[Account, int] = field(default_factory=dict)


class AccountBook:
    """The database in the file `path`, which is made at first use (mode 0600).

    Raises:
        sqlite3.Error: (every method) The file is damaged, or the disk is full.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._process = uuid.uuid4().hex

    @property
    def exists(self) -> bool:
        """Whether anything was ever written: until then there is no file."""
        return self._path.exists()

    def load(self) -> tuple[dict[Account, int], dict[CallId, Reservation]]:
        """Returns what is used, and the calls whose end was not told.

        Advances of other processes are used from now on: nobody knows how much of them was.
        """
        database = self._open()
        if database.execute("SELECT 1 FROM advances").fetchone():
            with self._writing() as database:
                database.execute(_USE_ADVANCES)
                database.execute("DELETE FROM advances")
        calls = database.execute("SELECT address, began, reservation FROM open").fetchall()
        return self.load_used(), {
            (address, began): _parse(json.loads(text)) for address, began, text in calls
        }

    def load_used(self) -> dict[Account, int]:
        """Returns what is used, without advances."""
        rows = self._open().execute("SELECT owner, unit, period, start, used FROM accounts").fetchall()
        return {Account(*row[:-1]): row[-1] for row in rows}

    def write(self, batch: Batch) -> None:
        """Writes all of a batch or nothing; once this returns, it is on the disk."""
        with self._writing() as database:
            rows = [(*call, json.dumps(_render(kept))) for call, kept in batch.opened.items()]
            database.executemany("INSERT OR REPLACE INTO open VALUES (?, ?, ?)", rows)
            database.executemany("DELETE FROM open WHERE address = ? AND began = ?", batch.closed)
            database.executemany(_SET, _add_up(batch.charges))
            advances = [(self._process, *account, amount) for account, amount in batch.advances.items()]
            database.executemany("INSERT OR REPLACE INTO advances VALUES (?, ?, ?, ?, ?, ?)", advances)
            database.execute("DELETE FROM advances WHERE amount = 0")

    def prune(self, now: float) -> None:
        """Deletes periods that are long over, and calls of which nobody will tell any more.

        Args:
            now: In seconds since the epoch.
        """
        database = self._open()
        oldest = int(now) - KEPT_SECONDS
        periods = [(period, oldest) for period in SECONDS]
        database.executemany("DELETE FROM accounts WHERE period = ? AND start < ?", periods)
        database.executemany("DELETE FROM advances WHERE period = ? AND start < ?", periods)
        database.execute("DELETE FROM open WHERE began < ?", (oldest * _MICRO,))

    def close(self) -> None:
        """Closes the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        database = self._open()
        database.execute("BEGIN IMMEDIATE")
        try:
            yield database
            database.execute("COMMIT")
        except BaseException:
            if database.in_transaction:
                database.execute("ROLLBACK")
            raise

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
            database = sqlite3.connect(
                self._path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = FULL")
            database.executescript(_SCHEMA)
            self._connection = database
        return self._connection


def load_used(path: Path) -> dict[Account, int]:
    """Returns what every account of a file has used, calls under way included; nothing if there is no file.

    Raises:
        sqlite3.Error: The file cannot be read.
        OSError: Nor be opened.
    """
    book = AccountBook(path)
    if not book.exists:
        return {}
    try:
        return book.load_used()
    finally:
        book.close()


def _add_up(charges: Iterable[Charge]) -> list[tuple[Any, ...]]:
    sums: dict[Account, int] = {}
    for charge in charges:
        sums[charge.account] = sums.get(charge.account, 0) + charge.amount
    return [(*account, amount) for account, amount in sums.items()]


def _render(kept: Reservation) -> dict[str, Any]:
    charges = [(*charge.account, charge.amount) for charge in kept.charges]
    return {
        "charges": charges,
        "need": (kept.need.tokens, kept.need.nanodollars),
        "price": kept.price,
        "bytes_in": kept.bytes_in,
        "has_tokens": kept.has_tokens,
    }


def _parse(written: Mapping[str, Any]) -> Reservation:
    charges = tuple(Charge(Account(*row[:-1]), row[-1]) for row in written["charges"])
    price = tuple(written["price"]) if written["price"] else None
    need = Need(*written["need"])
    return Reservation(charges, need, price, written["bytes_in"], written["has_tokens"])
