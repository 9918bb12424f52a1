"""No order of calls, ends, losses, restarts, full disks, clock steps and edits overspends."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import sqlite3
from collections import Counter
from typing import TYPE_CHECKING

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from centralized_ml_api.local.admission.account_book import AccountBook
from centralized_ml_api.local.admission.accountant import Accountant, ShortageError
from centralized_ml_api.local.admission.accounts import Account, Ask, Limit, Need, open_account
from centralized_ml_api.local.admission.endings import Ending
from centralized_ml_api.plan.event import POT

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import ClassVar

    from centralized_ml_api.local.admission.account_book import Batch, CallId
    from centralized_ml_api.local.admission.endings import Reservation

NOON = 1_780_315_200.0
PRICE = (1000, 1000, 1000)
"""A nanodollar a token."""


class Disk:
    """What outlives a process."""

    def __init__(self) -> None:
        self.used: Counter[Account] = Counter()
        self.advances: dict[Account, int] = {}
        self.opened: dict[CallId, Reservation] = {}

    def has_used(self, account: Account) -> int:
        """What whoever starts now must take for used."""
        return self.used[account] + self.advances.get(account, 0)


class MemoryBook(AccountBook):
    """A book of one process on a disk that outlives it."""

    def __init__(self, disk: Disk) -> None:
        self.disk, self.is_dead, self.failures = disk, False, 0

    def load(self) -> tuple[dict[Account, int], dict[CallId, Reservation]]:
        self.disk.used.update(self.disk.advances)
        self.disk.advances.clear()
        return dict(self.disk.used), dict(self.disk.opened)

    def write(self, batch: Batch) -> None:
        if self.is_dead:
            return
        if self.failures:
            self.failures -= 1
            raise sqlite3.OperationalError("disk I/O error")
        self.disk.opened.update(batch.opened)
        for call in batch.closed:
            self.disk.opened.pop(call, None)
        for charge in batch.charges:
            self.disk.used[charge.account] += charge.amount
        self.disk.advances.update(batch.advances)

    def prune(self, now: float) -> None:
        """Nothing is old enough."""

    def close(self) -> None:
        """Nothing is open."""


class Spending(RuleBasedStateMachine):
    """An accountant over a book, and a model server that knows what every call has really used."""

    MINUTE: ClassVar = Limit("red", "tokens", "minute", 100)
    EVENT: ClassVar = Limit("red", "nanodollars", "event", 1000)
    SHARED: ClassVar = Limit(POT, "nanodollars", "event", 1500)

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.now = NOON
        self.limits: tuple[Limit, ...] = (self.MINUTE, self.EVENT, self.SHARED)
        self.number = 0
        self.under_way: dict[CallId, int] = {}
        self.told: list[tuple[CallId, Ending]] = []
        self.really_used: Counter[Account] = Counter()
        self.disk = Disk()
        self.book = MemoryBook(self.disk)
        self.accountant = self.start()

    def start(self) -> Accountant:
        """An accountant over the book: to its clock each write takes long, and is given to a thread."""
        seconds = itertools.count()
        return Accountant(self.book, lambda: self.now, elapsed=lambda: float(next(seconds)))

    @rule()
    def restart(self) -> None:
        """As after kill -9: nothing is closed, and what was not written is lost."""
        self.book.is_dead = True
        self.book = MemoryBook(self.disk)
        self.accountant = self.start()

    @rule(tokens=st.integers(30, 120), share=st.sampled_from([1.0, 1.0, 0.5, 0.0]))
    def call(self, tokens: int, share: float) -> None:
        """A call that may use so many tokens, and will use a share of them."""
        self.spend([tokens], share)

    def spend(self, calls: Iterable[int], share: float) -> None:
        """So many calls at once."""

        async def spend_at_once() -> None:
            await asyncio.gather(*(self._spend(tokens, share) for tokens in calls))

        self.loop.run_until_complete(spend_at_once())

    async def _spend(self, tokens: int, share: float) -> None:
        self.number += 1
        name = ("a", self.number)
        before = self.accountant.left(self.limits)
        asked = Ask(self.limits, Need(tokens, tokens), PRICE, bytes_in=tokens, has_tokens=True)
        try:
            await self.accountant.reserve(name, asked)
        except ShortageError:
            assert any(left < tokens for left in before.values())
            return
        except sqlite3.OperationalError:
            return
        assert all(left >= tokens for left in before.values())
        used = int(tokens * share)
        self.under_way[name] = used
        for limit in self.limits:
            self.really_used[open_account(limit, self.now)] += used  # at worst all of it at once

    @rule(which=st.integers(0, 100), how=st.sampled_from(["reported", "left", "refused", "silent"]))
    def end(self, which: int, how: str) -> None:
        """A call ends, and Envoy tells of it."""
        if not self.under_way:
            return
        name = sorted(self.under_way)[which % len(self.under_way)]
        used = self.under_way.pop(name)
        endings = {
            "reported": Ending(200, read=used, written=0),
            "left": Ending(200, frozenset({"DC"}), read=1),
            "refused": Ending(200, read=used),
            "silent": Ending(200),
        }
        self.told.append((name, endings[how]))
        self.loop.run_until_complete(self._tell(*self.told[-1]))

    async def _tell(self, name: CallId, ending: Ending) -> None:
        self.accountant.end(name, ending)

    @rule(which=st.integers(0, 100))
    def tell_again(self, which: int) -> None:
        """The end of a call is told twice, perhaps to another process."""
        if self.told:
            self.loop.run_until_complete(self._tell(*self.told[which % len(self.told)]))

    @rule(which=st.integers(0, 100))
    def lose(self, which: int) -> None:
        """A call ends, and nobody ever tells."""
        if self.under_way:
            del self.under_way[sorted(self.under_way)[which % len(self.under_way)]]

    @rule()
    def settle(self) -> None:
        """A moment passes: what was not written is."""
        with contextlib.suppress(sqlite3.OperationalError):
            self.loop.run_until_complete(self.accountant.settle())

    @rule(failures=st.integers(1, 2))
    def fail(self, failures: int) -> None:
        """The next writes fail."""
        self.book.failures = failures

    @rule(seconds=st.sampled_from([-90, -1, 1, 30, 60, 200]))
    def step_clock(self, seconds: int) -> None:
        """Time passes, or the clock is set back."""
        self.now += seconds

    @rule(share=st.sampled_from([0.5, 0.7, 0.9, 1.0]))
    def edit(self, share: float) -> None:
        """The config changes: a smaller limit, or the old one again."""
        smaller = Limit("red", "nanodollars", "event", int(self.EVENT.most * share))
        self.limits = (self.MINUTE, smaller, self.SHARED)

    @invariant()
    def nothing_is_overspent(self) -> None:
        """Whatever really was used is below every limit that ever held."""
        most = {limit.unit: limit.most for limit in (self.MINUTE, self.EVENT)}
        assert all(
            used <= most[account.unit] for account, used in self.really_used.items() if account.owner != POT
        )

    @invariant()
    def the_disk_knows_of_everything(self) -> None:
        """Whoever starts after a crash at this moment takes no less for used than really was."""
        assert all(self.disk.has_used(account) >= used for account, used in self.really_used.items())

    def teardown(self) -> None:
        self.book.failures = 0
        left = self.accountant.left(self.limits)
        self.loop.run_until_complete(self.accountant.close())
        assert not any(self.disk.advances.values())
        assert self.start().left(self.limits) == left
        self.loop.close()


class SpendingAhead(Spending):
    """The same with limits of which calls need little, so that they go on by what is written ahead."""

    MINUTE: ClassVar = Limit("red", "tokens", "minute", 20_000)
    EVENT: ClassVar = Limit("red", "nanodollars", "event", 60_000)
    SHARED: ClassVar = Limit(POT, "nanodollars", "event", 90_000)

    @rule(
        calls=st.lists(st.integers(1, 150) | st.integers(1_000, 15_000), min_size=1, max_size=5),
        share=st.sampled_from([1.0, 0.5, 0.0]),
    )
    def call_at_once(self, calls: list[int], share: float) -> None:
        """Calls that come together: some need more than is written ahead, and wait for the disk."""
        self.spend(calls, share)


Spending.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
SpendingAhead.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestSpending, TestSpendingAhead = Spending.TestCase, SpendingAhead.TestCase
