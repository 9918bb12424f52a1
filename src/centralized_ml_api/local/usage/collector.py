"""Counts what is new in the access log into the store, each line exactly once."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from typing import TYPE_CHECKING, BinaryIO

from centralized_ml_api.local.usage.log_lines import identify_segment, parse_call, read_chunk
from centralized_ml_api.local.usage.store import STORE_NAME, UsageStore
from centralized_ml_api.plan.usage.build import build_models, build_rows
from centralized_ml_api.plan.usage.latency import ERROR
from centralized_ml_api.plan.usage.types import UsageTable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date, datetime
    from pathlib import Path

    from centralized_ml_api.config.token_prices import TokenPrice

LOG_NAME = "access.log"


class UsageCollector:
    """The access log `log` with its older segment `<log>.1`, and the store that they are counted into.

    The store also holds how far each was read, which changes in the same transaction as the counts. So no
    line is counted twice or lost if a process is killed, and several processes may collect at the same time.
    """

    def __init__(self, store: UsageStore, log: Path) -> None:
        self.store = store
        self.log = log

    @classmethod
    def of_state(cls, state: Path) -> UsageCollector:
        """Returns the collector of a state folder."""
        return cls(UsageStore(state / STORE_NAME), state / "logs" / LOG_NAME)

    @property
    def has_any(self) -> bool:
        """Returns whether anything was ever called, as far as the disk shows."""
        return self.store.path.exists() or self.log.exists()

    def collect(self) -> None:
        """Counts everything that Envoy has written so far. A damaged store is set aside and begun anew.

        Raises:
            sqlite3.Error: The store cannot be written now; the next call continues where this one failed.
            OSError: The log cannot be read.
        """
        try:
            self._collect()
        except sqlite3.OperationalError:
            raise  # a full disk, a lock: not damage
        except sqlite3.DatabaseError:
            self.store.set_aside()
            self._collect()

    def count_day(self, day: date) -> dict[str, int]:
        """Returns how many calls of each team were let through on a UTC day, up to now: for daily quotas.

        What Envoy buffers is missing: a quarter of a second, or 64 KiB of lines.
        Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/operations/cli

        Raises:
            sqlite3.Error: The store cannot be read or written.
            OSError: The log cannot be read.
        """
        self.collect()
        return self.store.requests_by_team(day)

    def load_table(self, since: datetime | None) -> UsageTable:
        """Returns the table of all calls that began in the hour of `since` or later; None for all.

        Raises:
            sqlite3.Error: The store cannot be read or written.
            OSError: The log cannot be read.
        """
        self.collect()
        counts = self.store.load_counts(since)
        unreadable = self.store.load_unreadable()
        rows = build_rows(counts)
        notes = [f"P50 and P95 are within {ERROR:.0%} of the exact value"] if rows else []
        if unreadable:
            notes.append(f"{unreadable} lines of the access log could not be read")
        return UsageTable(
            since,
            rows,
            build_models(counts),
            hours=tuple(self.store.load_hours(since)),
            days=tuple(self.store.load_days(since)),
            notes=tuple(notes),
            prices=self.store.load_prices(),
        )

    def _collect(self) -> None:
        for log in (self.log.with_name(f"{self.log.name}.1"), self.log):
            with contextlib.suppress(FileNotFoundError), log.open("rb") as file:
                segment = identify_segment(file)
                while segment is not None and self._collect_chunk(file, segment):
                    pass
        self.store.prune()

    def _collect_chunk(self, file: BinaryIO, segment: str) -> bool:
        """Returns whether there was anything new."""
        with self.store.write() as transaction:
            chunk = read_chunk(file, transaction.offset(segment))
            if chunk is None:
                return False
            calls = [parse_call(line) for line in chunk.lines]
            transaction.add(call for call in calls if call is not None)
            transaction.add_unreadable(calls.count(None))
            transaction.set_offset(segment, chunk.end)
        return True


class UsageRecorder:
    """Collects while `mlapi up` runs; `talk` is told when that begins to fail, and when it works again."""

    def __init__(self, collector: UsageCollector, talk: Callable[[str], None]) -> None:
        self._collector = collector
        self._talk = talk
        self._trouble = ""
        self._prices: Mapping[str, TokenPrice] | None = None

    def note_prices(self, prices: Mapping[str, TokenPrice]) -> None:
        """Makes what is counted from now on cost this, by model."""
        self._prices = prices

    async def collect(self) -> bool:
        """Counts what is new, in a thread, and returns whether it could: the disk raises nothing here."""
        trouble = ""
        try:
            await asyncio.to_thread(self._collect)
        except (sqlite3.Error, OSError) as error:
            trouble = f"calls are not counted: {error}"
        if trouble != self._trouble:
            self._trouble = trouble
            self._talk(trouble or "Calls are counted again, including those made meanwhile.")
        return not trouble

    def _collect(self) -> None:
        prices, self._prices = self._prices, None
        if prices is not None:
            try:
                with self._collector.store.write() as transaction:
                    transaction.set_prices(prices)
            except sqlite3.Error:
                self._prices = prices
                raise
        self._collector.collect()
