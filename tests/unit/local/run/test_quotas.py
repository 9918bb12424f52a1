"""When the calls of a day are counted from the disk, and what is left of it then."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from centralized_ml_api.local.gateway import Quotas, TeamAccess
from centralized_ml_api.local.machine.clock import Clock
from centralized_ml_api.local.run.quotas import QuotaBook
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Mapping

DAY = date(2030, 6, 1)
MIDNIGHT = datetime(2030, 6, 2, tzinfo=UTC)
TEAMS = (
    TeamAccess("red", (), requests_per_day=10),
    TeamAccess("blue", (), requests_per_day=2),
    TeamAccess("free", ()),
)


class Disk:
    """A clock that stands still until it is moved, and the calls that are counted so far."""

    def __init__(self) -> None:
        self.at = datetime(2030, 6, 1, 23, tzinfo=UTC)
        self.used: dict[date, dict[str, int]] = {DAY: {"red": 4, "blue": 3, "free": 9}}
        self.broken = False
        self.slept = 0
        self.ticks = asyncio.Semaphore(0)
        self.book = QuotaBook(self.count, Clock(lambda: self.at, self.sleep))

    async def sleep(self, seconds: float) -> None:
        assert seconds == 1
        self.slept += 1
        await self.ticks.acquire()

    async def tick(self) -> None:
        """Lets whoever sleeps look once; returns when they sleep again."""
        await until(lambda: self.slept > 0, "somebody sleeps")
        before = self.slept
        self.ticks.release()
        await until(lambda: self.slept > before, "they looked and sleep again")

    def count(self, day: date) -> Mapping[str, int]:
        if self.broken:
            raise OSError("no disk")
        return self.used.get(day, {})

    def stock(self, teams: tuple[TeamAccess, ...] = TEAMS) -> Quotas | None:
        return asyncio.run(self.book.take_stock(teams))


def test_what_was_used_is_taken_off_and_never_less_than_nothing_is_left() -> None:
    assert Disk().stock() == Quotas(MIDNIGHT, (("red", 6), ("blue", 0)))


def test_without_a_daily_limit_nothing_is_counted() -> None:
    disk = Disk()
    disk.broken = True
    assert disk.stock(TEAMS[2:]) is None


def test_between_two_moments_the_gateway_counts_alone() -> None:
    disk = Disk()
    before = disk.stock()
    disk.used[DAY]["red"] = 7
    assert disk.stock() == before
    disk.book.forget()
    assert disk.stock() == Quotas(MIDNIGHT, (("red", 3), ("blue", 0)))


def test_another_limit_is_a_moment_too() -> None:
    disk = Disk()
    disk.stock()
    more = (TeamAccess("red", (), requests_per_day=20),)
    assert disk.stock(more) == Quotas(MIDNIGHT, (("red", 16),))


def test_a_new_day_begins_whole_whatever_the_zone_of_the_clock() -> None:
    disk = Disk()
    disk.stock()
    disk.at = disk.at.astimezone() + timedelta(hours=1)
    assert disk.stock() == Quotas(MIDNIGHT + timedelta(days=1), (("red", 10), ("blue", 2)))


def test_a_disk_that_gives_nothing_leaves_what_was_known_of_the_day() -> None:
    disk = Disk()
    before = disk.stock()
    disk.broken = True
    disk.book.forget()
    assert disk.stock() == before
    disk.at += timedelta(hours=1)
    assert disk.stock() == Quotas(MIDNIGHT + timedelta(days=1), (("red", 10), ("blue", 2)))


def test_midnight_is_told_until_stock_was_taken() -> None:
    async def story() -> None:
        disk, told = Disk(), []
        await disk.book.take_stock(TEAMS)
        running = asyncio.create_task(disk.book.run(lambda: told.append(disk.at)))
        await disk.tick()
        assert told == []
        disk.at += timedelta(hours=1)
        await disk.tick()
        await disk.tick()
        assert told == [disk.at, disk.at]
        await disk.book.take_stock(TEAMS)
        await disk.tick()
        assert told == [disk.at, disk.at]
        running.cancel()

    asyncio.run(story())
