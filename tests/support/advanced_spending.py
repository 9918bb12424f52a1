"""An accountant with advances, and a disk that can be watched."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from typing import TYPE_CHECKING

from centralized_ml_api.local.admission.account_book import AccountBook, Batch
from centralized_ml_api.local.admission.accountant import Accountant
from centralized_ml_api.local.admission.accounts import Ask, Limit, Need
from centralized_ml_api.local.admission.endings import Ending

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from centralized_ml_api.local.admission.account_book import CallId

NOON = 1_780_315_200.0
MOST = 128_000
EVENT = Limit("red", "nanodollars", "event", MOST)
MINUTE = Limit("red", "tokens", "minute", MOST)
NEED = 100


def ask(need: int = NEED, *limits: Limit) -> Ask:
    return Ask(limits or (EVENT,), Need(need, need), (1000, 1000, 1000), bytes_in=need, has_tokens=True)


def name(number: int, address: str = "a") -> CallId:
    return address, int(NOON * 1e6) + number


def ended(used: int) -> Ending:
    return Ending(200, read=used, written=0)


class Watched(AccountBook):
    """A book that keeps what it wrote."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.written: list[Batch] = []

    def write(self, batch: Batch) -> None:
        super().write(batch)
        self.written.append(batch)


class World:
    """An accountant, and what happens to its book."""

    def __init__(self, folder: Path, advance_kept_seconds: float = 1000.0) -> None:
        self.seconds, self.crashes, self.folder = 0.0, 0, folder
        self.book = Watched(folder / "a.db")
        self.accountant = Accountant(
            self.book, lambda: NOON, elapsed=lambda: self.seconds, advance_kept_seconds=advance_kept_seconds
        )

    def left_after_a_crash(self, limit: Limit = EVENT) -> int:
        """What a process finds that starts now."""
        self.crashes += 1
        copy = self.folder / f"{self.crashes}.db"
        with (
            contextlib.closing(sqlite3.connect(self.folder / "a.db")) as disk,
            contextlib.closing(sqlite3.connect(copy)) as found,
        ):
            disk.backup(found)
        book = AccountBook(copy)
        with contextlib.closing(book):
            return Accountant(book, lambda: NOON).left((limit,))[limit]


def tell(folder: Path, story: Callable[[World], Awaitable[None]]) -> None:
    async def main() -> None:
        world = World(folder)
        async with asyncio.timeout(30):
            await story(world)
            await world.accountant.close()

    asyncio.run(main())
