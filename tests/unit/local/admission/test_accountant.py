"""What calls reserve and settle, when it is on the disk, and what of it outlives a crash."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.admission.account_book import AccountBook, Batch
from centralized_ml_api.local.admission.accountant import FAST_SECONDS, Accountant, ShortageError
from centralized_ml_api.local.admission.accounts import (
    Charge,
    Need,
    open_account,
)
from centralized_ml_api.local.admission.endings import Ending, Reservation
from centralized_ml_api.local.admission.turns import CallOverError
from support.asked_accounts import EVENT, MINUTE, NOON, ask

if TYPE_CHECKING:
    from pathlib import Path


def test_a_period_begins_anew_by_the_clock_of_utc(tmp_path: Path) -> None:
    now = [NOON]
    accountant = Accountant(AccountBook(tmp_path / "a.db"), lambda: now[0])

    async def spend() -> None:
        await accountant.reserve(("a", 1), ask(100, MINUTE))
        with pytest.raises(ShortageError):
            accountant.check(ask(1, MINUTE))
        now[0] += 60
        await accountant.reserve(("a", 2), ask(100, MINUTE))
        accountant.end(("a", 1), Ending(200, read=1, written=1))  # belongs to the minute before
        assert accountant.left((MINUTE,)) == {MINUTE: 0}
        await accountant.close()

    asyncio.run(spend())


def test_periods_that_are_long_over_are_forgotten(tmp_path: Path) -> None:
    now = [NOON]
    accountant = Accountant(AccountBook(tmp_path / "a.db"), lambda: now[0])

    async def spend() -> None:
        for day in range(4):
            now[0] = NOON + day * 86400
            await accountant.reserve(("a", int(now[0] * 1e6)), ask(9, MINUTE, EVENT))
        await accountant.close()

    asyncio.run(spend())
    used = AccountBook(tmp_path / "a.db").load_used()
    days = [int(NOON) + day * 86400 for day in (1, 2, 3)]  # a day ago counts, should the clock be set back
    assert sorted(account.start for account in used) == [0, *days]
    assert {account.start for account in accountant.known} == {0, *days}


def test_a_call_that_was_over_before_it_reserved_spends_nothing(tmp_path: Path) -> None:
    accountant = Accountant(AccountBook(tmp_path / "a.db"), lambda: NOON)

    async def spend() -> None:
        accountant.end(("a", 1), Ending(0, frozenset({"DC"})))
        with pytest.raises(CallOverError):
            await accountant.reserve(("a", 1), ask(100))
        reserving = asyncio.create_task(accountant.reserve(("a", 2), ask(100)))
        await asyncio.sleep(0)
        reserving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reserving
        assert accountant.left((EVENT,)) == {EVENT: 1000}
        await accountant.close()

    asyncio.run(spend())


@pytest.mark.parametrize(
    ("ending", "is_spent"),
    [
        (Ending(200, frozenset({"DC"}), read=1, written=1), True),  # its caller left
        (Ending(200), True),
        (Ending(0), True),
        (Ending(200, read=100, written=0), True),
        (Ending(200, read=0, written=0), False),
        (Ending(503, frozenset({"UH"})), False),
    ],
)
def test_what_nobody_knows_stays_spent(tmp_path: Path, ending: Ending, is_spent: bool) -> None:  # noqa: FBT001
    accountant = Accountant(AccountBook(tmp_path / "a.db"), lambda: NOON)

    async def spend() -> None:
        await accountant.reserve(("a", 1), ask(100, MINUTE))
        accountant.end(("a", 1), ending)
        assert accountant.left((MINUTE,)) == {MINUTE: 0 if is_spent else 100}
        accountant.end(("a", 1), Ending(200, read=0, written=0))  # told twice, it gives nothing back
        assert accountant.left((MINUTE,)) == {MINUTE: 0 if is_spent else 100}
        await accountant.close()

    asyncio.run(spend())


def test_what_an_end_gives_back_is_written_with_the_next_call_or_soon(tmp_path: Path) -> None:
    async def spend() -> None:
        loop, is_settled = asyncio.get_running_loop(), asyncio.Event()
        written: list[tuple[int, int]] = []

        class Watched(AccountBook):
            def write(self, batch: Batch) -> None:
                super().write(batch)
                written.append((len(batch.opened), len(batch.closed)))
                if not batch.opened:
                    loop.call_soon_threadsafe(is_settled.set)

        accountant = Accountant(Watched(tmp_path / "a.db"), lambda: NOON)
        for number in range(3):
            await accountant.reserve(("a", number), ask(100))
            accountant.end(("a", number), Ending(200, read=1, written=1))
        await asyncio.wait_for(is_settled.wait(), 30)
        assert written == [(1, 0), (1, 1), (1, 1), (0, 1)]
        await accountant.close()

    asyncio.run(spend())


def test_only_a_disk_that_was_slow_is_written_to_in_a_thread(tmp_path: Path) -> None:
    clock = [0.0]
    takes: list[float | None] = []
    in_loop: list[bool] = []

    class Timed(AccountBook):
        def write(self, batch: Batch) -> None:
            in_loop.append(threading.current_thread() is threading.main_thread())
            seconds = takes.pop(0) if takes else 0.0
            if seconds is None:
                raise sqlite3.OperationalError
            clock[0] += seconds
            super().write(batch)

    async def spend() -> None:
        accountant = Accountant(Timed(tmp_path / "a.db"), lambda: NOON, elapsed=lambda: clock[0])
        takes.extend((0.0, FAST_SECONDS / 2, 2 * FAST_SECONDS, 2 * FAST_SECONDS, 0.0, None))
        for number in range(7):
            with contextlib.suppress(sqlite3.OperationalError):
                await accountant.reserve(("a", number), ask(100))
        await accountant.close()

    asyncio.run(spend())
    assert in_loop[:7] == [False, True, True, False, False, True, False], "nobody knows the first"


def test_nobody_waits_for_a_reservation_longer_than_the_call_takes_that_holds_it(tmp_path: Path) -> None:
    accountant = Accountant(AccountBook(tmp_path / "a.db"), lambda: NOON)

    async def spend() -> None:
        for number in range(2):
            await accountant.reserve(("a", number), ask(500))
        with pytest.raises(ShortageError) as refused:
            accountant.check(ask(450))
        assert refused.value.shortage.is_passing
        accountant.end(("a", 0), Ending(200, read=40, written=10))
        await accountant.reserve(("a", 2), ask(450))  # at once, whatever the disk does meanwhile
        assert accountant.left((EVENT,)) == {EVENT: 0}
        await accountant.close()

    asyncio.run(spend())


def test_what_was_under_way_at_a_crash_stays_spent_until_its_end_is_told(tmp_path: Path) -> None:
    call = ("a", int(NOON * 1e6))

    async def spend() -> None:
        await Accountant(AccountBook(tmp_path / "a.db"), lambda: NOON).reserve(call, ask(100, MINUTE))
        after = Accountant(AccountBook(tmp_path / "a.db"), lambda: NOON)
        with pytest.raises(ShortageError) as refused:
            after.check(ask(100, MINUTE))
        assert not refused.value.shortage.is_passing  # nobody may ever tell
        after.end(call, Ending(200, read=30, written=0))
        assert after.left((MINUTE,)) == {MINUTE: 70}
        await after.close()

    asyncio.run(spend())


def test_an_end_that_is_told_before_anybody_asks_gives_back_what_was_open_at_a_crash(tmp_path: Path) -> None:
    call = ("a", int(NOON * 1e6))

    async def spend() -> None:
        unused = Accountant(AccountBook(tmp_path / "none.db"), lambda: NOON)
        unused.start()
        assert not (tmp_path / "none.db").exists()
        await Accountant(AccountBook(tmp_path / "a.db"), lambda: NOON).reserve(call, ask(100, MINUTE))
        after = Accountant(AccountBook(tmp_path / "a.db"), lambda: NOON)
        after.start()
        after.end(call, Ending(200, read=30, written=0))
        assert after.left((MINUTE,)) == {MINUTE: 70}
        await after.close()

    asyncio.run(spend())


def test_a_disk_that_cannot_be_written_lets_nobody_spend(tmp_path: Path) -> None:
    class FullDisk(AccountBook):
        is_full = True

        def write(self, batch: Batch) -> None:
            if self.is_full:
                raise OSError("no space left")
            super().write(batch)

    later = ("a", int(NOON * 1e6))
    book = FullDisk(tmp_path / "a.db")
    accountant = Accountant(book, lambda: NOON)

    async def spend() -> None:
        with pytest.raises(OSError, match="no space"):
            await accountant.reserve(("a", 1), ask(600))
        assert accountant.left((EVENT,)) == {EVENT: 1000}
        book.is_full = False
        await accountant.reserve(later, ask(600))
        await accountant.close()

    asyncio.run(spend())
    used, still_open = AccountBook(tmp_path / "a.db").load()
    assert used == {open_account(EVENT, NOON): 600}
    assert list(still_open) == [later]


def test_a_book_that_cannot_forget_is_charged_once_and_asked_again(tmp_path: Path) -> None:
    class Remembering(AccountBook):
        prunes = 0

        def prune(self, now: float) -> None:
            self.prunes += 1
            if self.prunes == 1:
                raise sqlite3.OperationalError("disk I/O error")
            super().prune(now)

    book = Remembering(tmp_path / "a.db")
    accountant = Accountant(book, lambda: NOON)

    async def spend() -> None:
        for number in range(3):
            await accountant.reserve(("a", int(NOON * 1e6) + number), ask(100))
        await accountant.close()

    asyncio.run(spend())
    assert book.prunes == 2, "once it could, not again for an hour"
    used = AccountBook(tmp_path / "a.db").load_used()
    assert used == {open_account(EVENT, NOON): 300}


def test_the_book_forgets_what_nobody_will_ask_for(tmp_path: Path) -> None:
    book = AccountBook(tmp_path / "a.db")
    accounts = [open_account(MINUTE, NOON), open_account(EVENT, NOON)]
    kept = Reservation((), Need(1, 1), None, 0, has_tokens=True)
    charges = [Charge(account, 5) for account in accounts]
    book.write(Batch({("a", int(NOON * 1e6)): kept}, [], charges, dict.fromkeys(accounts, 3)))
    book.prune(NOON + 3 * 86400)
    assert book.load() == ({accounts[1]: 8}, {}), "what was in advance is used"
    book.close()
    assert (tmp_path / "a.db").stat().st_mode & 0o077 == 0
