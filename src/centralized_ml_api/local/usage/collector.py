"""Counts what is new in the access log into the store, each line exactly once."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING, BinaryIO

from centralized_ml_api.local.usage.line import parse_call
from centralized_ml_api.local.usage.part import identify_part, read_piece
from centralized_ml_api.local.usage.store import STORE_NAME, UsageStore
from centralized_ml_api.plan.usage.build import build_models, build_rows
from centralized_ml_api.plan.usage.latency import ERROR
from centralized_ml_api.plan.usage.types import UsageTable

if TYPE_CHECKING:
    from datetime import date, datetime
    from pathlib import Path

LOG_NAME = "access.log"


class UsageCollector:
    """The access log `log` with its older part `<log>.1`, and the store that they are counted into.

    How far they were read stands in the store and changes together with the counts. So nothing is counted
    twice or left out when a process is killed, and several may collect at the same time.
    """

    def __init__(self, store: UsageStore, log: Path) -> None:
        self.store = store
        self.log = log

    @classmethod
    def of_state(cls, state: Path) -> UsageCollector:
        """That of a state folder."""
        return cls(UsageStore(state / STORE_NAME), state / "logs" / LOG_NAME)

    @property
    def has_any(self) -> bool:
        """Whether something was ever called, as far as the disk shows."""
        return self.store.path.exists() or self.log.exists()

    def collect(self) -> None:
        """Counts everything that Envoy has written so far. A damaged store is set aside and begun anew.

        Raises:
            sqlite3.Error: the store cannot be written now; the next time goes on where this one failed.
            OSError: the log cannot be read.
        """
        try:
            self._collect()
        except sqlite3.OperationalError:
            raise  # a full disk, a lock: not damage
        except sqlite3.DatabaseError:
            self.store.set_aside()
            self._collect()

    def count_day(self, day: date) -> dict[str, int]:
        """How many calls of each team were let through on a day of UTC, up to now: for daily quotas.

        What is answered and not here yet is what Envoy holds back: a quarter of a second, or 64 KiB of lines.
        Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/operations/cli
        """
        self.collect()
        return self.store.requests_by_team(day)

    def load_table(self, since: datetime | None) -> UsageTable:
        """The table of all calls that began in the hour of `since` or later; None for all."""
        self.collect()
        counts = self.store.load_counts(since)
        unreadable = self.store.load_unreadable()
        notes = [f"P50 and P95 are within {ERROR:.0%} of the exact value"]
        if unreadable:
            notes.append(f"{unreadable} lines of the access log could not be read")
        return UsageTable(
            since,
            build_rows(counts),
            build_models(counts),
            hours=tuple(self.store.load_hours(since)),
            days=tuple(self.store.load_days(since)),
            notes=tuple(notes),
        )

    def _collect(self) -> None:
        for log in (self.log.with_name(f"{self.log.name}.1"), self.log):
            with contextlib.suppress(FileNotFoundError), log.open("rb") as file:
                self._collect_part(file)
        self.store.prune()

    def _collect_part(self, file: BinaryIO) -> None:
        part = identify_part(file)
        while part is not None and self._collect_piece(file, part):
            pass

    def _collect_piece(self, file: BinaryIO, part: str) -> bool:
        """Whether there was anything new."""
        with self.store.write() as writing:
            piece = read_piece(file, writing.position(part))
            if piece is None:
                return False
            calls = [parse_call(line) for line in piece.lines]
            writing.add(call for call in calls if call is not None)
            writing.add_unreadable(calls.count(None))
            writing.advance(part, piece.end)
        return True
