"""Reserves what calls may spend, and settles what they have spent. Everything happens in one event loop.

A reservation is on the disk before its call goes on, by itself or in an advance (see `advances`). Calls that
come while the disk is busy are written together with the next. While writes take less than a millisecond,
none is given to a thread. What an end gives back, and what calls take of advances, is written with whatever
comes next, and soon in any case: lost in a crash, it counts as spent.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from typing import TYPE_CHECKING

from centralized_ml_api.local.admission.account_book import KEPT_SECONDS, AccountBook, Batch
from centralized_ml_api.local.admission.accounts import (
    Account,
    Need,
    Shortage,
    is_over,
    judge_call,
    open_account,
    settle_charges,
)
from centralized_ml_api.local.admission.advances import KEPT_SECONDS as ADVANCE_KEPT_SECONDS
from centralized_ml_api.local.admission.advances import Advances
from centralized_ml_api.local.admission.ended_calls import EndedCalls
from centralized_ml_api.local.admission.endings import Reservation, judge_ending
from centralized_ml_api.local.admission.turns import CallOverError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from centralized_ml_api.local.admission.account_book import CallId
    from centralized_ml_api.local.admission.accounts import Ask, Charge, Limit
    from centralized_ml_api.local.admission.endings import Ending

FAST_SECONDS = 0.001
"""The longest write after which the next is not given to a thread: going there and back takes as long."""

_PRUNE_SECONDS = 3600
_SETTLE_SECONDS = 0.2
"""How long what an end gives back may wait for the next call, so that both are one write."""


class ShortageError(Exception):
    """A call that does not fit below a limit."""

    def __init__(self, shortage: Shortage) -> None:
        super().__init__("a limit is reached")
        self.shortage = shortage


class Accountant:
    """The accounts of all teams.

    Args:
        book: Keeps them.
        now: Returns the seconds since the epoch.
        elapsed: Returns the seconds of a clock that is precise and never set, by which writes are timed.
        advance_kept_seconds: How long after its last call an account keeps its advance.
    """

    def __init__(
        self,
        book: AccountBook,
        now: Callable[[], float],
        *,
        elapsed: Callable[[], float] = time.perf_counter,
        advance_kept_seconds: float = ADVANCE_KEPT_SECONDS,
    ) -> None:
        self._book = book
        self._now = now
        self._elapsed = elapsed
        self._is_fast = False
        self._used: Counter[Account] = Counter()
        self._pending: Counter[Account] = Counter()
        self._open: dict[CallId, Reservation] = {}
        self._left_open: dict[CallId, Reservation] = {}
        self._ended = EndedCalls()
        self._reserving: set[CallId] = set()
        self._advances = Advances(elapsed, advance_kept_seconds)
        self._advanced: set[CallId] = set()
        self._batch = Batch()
        self._written: asyncio.Future[None] | None = None
        self._writing: asyncio.Task[None] | None = None
        self._settling: asyncio.TimerHandle | None = None
        self._releasing: asyncio.TimerHandle | None = None
        self._is_loaded = False
        self._pruned = 0.0

    def start(self) -> None:
        """Reads the book, if there is one: the ends of calls that were left open may be told before any asks.

        Raises:
            sqlite3.Error: The book cannot be read.
            OSError: Nor its file be opened.
        """
        if self._book.exists:
            self._load()

    def check(self, ask: Ask) -> None:
        """Finds out whether a call would fit now, without reserving anything.

        Raises:
            ShortageError: It would not.
            sqlite3.Error: The book cannot be read.
            OSError: Nor its file be made.
        """
        self._judge(ask)

    def reserve_at_once(self, call: CallId, ask: Ask) -> bool:
        """Reserves what a call may need if advances have it; returns whether they do and the call may go on.

        Raises:
            ShortageError: It does not fit.
            CallOverError: The call is over already.
            sqlite3.Error: The book cannot be read.
            OSError: Nor its file be made.
        """
        return self._take_advance(call, ask, self._judge_call(call, ask))

    async def reserve(self, call: CallId, ask: Ask) -> None:
        """Reserves what a call may need; when this returns, the call may go on.

        When cancelled, the call has reserved nothing.

        Raises:
            ShortageError: It does not fit.
            CallOverError: The call is over already.
            sqlite3.Error: The book cannot be written.
            OSError: Nor its file be made.
        """
        charges = self._judge_call(call, ask)
        if self._take_advance(call, ask, charges):
            return
        kept = self._open_call(call, ask, charges)
        self._reserving.add(call)
        try:
            await asyncio.shield(self._write())
        except BaseException:
            if self._open.pop(call, None) is not None:
                self._give_back(call, kept, Need(0, 0))
            raise
        finally:
            self._reserving.discard(call)
        if call not in self._open:
            raise CallOverError

    def end(self, call: CallId, ending: Ending) -> None:
        """Settles a call that is over; one that has reserved nothing yet never will."""
        kept = self._open.pop(call, None)
        if kept is not None:
            is_unsent = call in self._reserving
            self._give_back(call, kept, Need(0, 0) if is_unsent else judge_ending(kept, ending))
            return
        kept = self._left_open.pop(call, None)
        if kept is not None:
            self._settle(call, kept, judge_ending(kept, ending))
            return
        self._ended.note(call)

    def left(self, limits: Iterable[Limit]) -> dict[Limit, int]:
        """Returns what nobody has used of each limit, in its present period.

        Raises:
            sqlite3.Error: The book cannot be read.
            OSError: Nor its file be made.
        """
        self._load()
        now = self._now()
        return {limit: max(0, limit.most - self._used[open_account(limit, now)]) for limit in limits}

    @property
    def known(self) -> frozenset[Account]:
        """The accounts that are kept in memory."""
        return frozenset(self._used)

    async def settle(self) -> None:
        """Writes what is not written yet.

        Raises:
            sqlite3.Error: The book cannot be written.
            OSError: Nor its file be made.
        """
        if self._is_loaded:
            await self._write()

    async def close(self) -> None:
        """Writes what is not written yet, and no advance; closes the book."""
        if self._is_loaded:
            self._advances.end()
            try:
                await self.settle()
            finally:
                if self._releasing is not None:
                    self._releasing.cancel()
                self._book.close()

    def _judge_call(self, call: CallId, ask: Ask) -> tuple[Charge, ...]:
        if self._ended.take(call):
            raise CallOverError
        return self._judge(ask)

    def _judge(self, ask: Ask) -> tuple[Charge, ...]:
        self._load()
        judged = judge_call(ask.limits, ask.need, self._now(), used=self._used, pending=self._pending)
        if isinstance(judged, Shortage):
            raise ShortageError(judged)
        return judged

    def _load(self) -> None:
        """Reads the book once: until somebody has limits, there is none."""
        if not self._is_loaded:
            used, self._left_open = self._book.load()
            self._used.update(used)
            self._is_loaded = True

    def _take_advance(self, call: CallId, ask: Ask, charges: tuple[Charge, ...]) -> bool:
        """Lets a call go on if advances have what it may need; returns whether they do."""
        if not self._advances.take(ask.limits, charges, self._used):
            return False
        self._open_call(call, ask, charges)
        self._advanced.add(call)
        self._settle_soon()
        return True

    def _open_call(self, call: CallId, ask: Ask, charges: tuple[Charge, ...]) -> Reservation:
        kept = Reservation(charges, ask.need, ask.price, ask.bytes_in, ask.has_tokens)
        self._open[call] = kept
        self._charge(charges, pending=1)
        self._batch.opened[call] = kept
        self._batch.charges += charges
        return kept

    def _give_back(self, call: CallId, kept: Reservation, spent: Need | None) -> None:
        self._charge(kept.charges, used=0, pending=-1)
        self._settle(call, kept, spent)

    def _settle(self, call: CallId, kept: Reservation, spent: Need | None) -> None:
        changes = settle_charges(kept.charges, spent)
        self._charge(changes, pending=0)
        self._batch.charges += changes
        is_unwritten = self._batch.opened.pop(call, None) is not None
        if call in self._advanced:
            # Its reservation was never on the disk by itself, where a second word of this end might find it.
            self._advanced.remove(call)
            self._advances.give_back(changes)
            return
        self._batch.closed.append(call)
        if not is_unwritten:
            self._settle_soon()

    def _charge(self, charges: Iterable[Charge], *, pending: int, used: int = 1) -> None:
        for charge in charges:
            self._used[charge.account] += used * charge.amount
            self._pending[charge.account] += pending * charge.amount
            if not self._pending[charge.account]:
                self._pending.pop(charge.account)  # `del` of a Counter is Python code

    def _settle_soon(self) -> None:
        if self._settling is None:
            self._settling = asyncio.get_running_loop().call_later(_SETTLE_SECONDS, self._write_soon)

    def _release_later(self) -> None:
        """Has advances end some time after the last call of their accounts."""
        if self._releasing is None and self._advances.is_any_left:
            loop = asyncio.get_running_loop()
            self._releasing = loop.call_later(self._advances.kept_seconds, self._release)

    def _release(self) -> None:
        self._releasing = None
        self._write_soon()

    def _write_soon(self) -> None:
        # A failure is seen by nobody: what could not be written is tried again with the next call.
        self._write().add_done_callback(lambda written: written.cancelled() or written.exception())

    def _write(self) -> asyncio.Future[None]:
        """Returns a future that is done when all changes until now are on the disk."""
        if self._settling is not None:
            self._settling.cancel()
            self._settling = None
        if self._written is None:
            self._written = asyncio.get_running_loop().create_future()
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_batches())
        return self._written

    async def _write_batches(self) -> None:
        """Writes batch after batch, as long as there are changes."""
        try:
            while self._written is not None:
                written, batch = self._written, self._batch
                self._written, self._batch, self._advanced = None, Batch(), set()
                batch.advances = self._advances.plan(self._used)
                try:
                    await self._write_book(batch)
                except Exception as error:  # noqa: BLE001  # whoever waits must hear of any
                    self._keep_for_later(batch)
                    written.set_exception(error)
                else:
                    self._advances.grant()
                    self._release_later()
                    await self._forget()
                    written.set_result(None)
        finally:
            self._writing = None

    async def _write_book(self, batch: Batch) -> None:
        """Writes a batch: at once while the disk is fast, else in a thread, for which nobody else waits."""
        if self._is_fast:
            self._time_write(batch)
        else:
            await asyncio.to_thread(self._time_write, batch)

    def _time_write(self, batch: Batch) -> None:
        self._is_fast, begun = False, self._elapsed()
        self._book.write(batch)
        self._is_fast = self._elapsed() - begun <= FAST_SECONDS

    async def _forget(self) -> None:
        """Forgets now and then, with the book, periods that are long over.

        If the book cannot, it is asked again after the next batch: this one is on the disk all the same.
        """
        now = self._now()
        if now - self._pruned <= _PRUNE_SECONDS:
            return
        with contextlib.suppress(Exception):
            await asyncio.to_thread(self._book.prune, now)
            self._pruned = now
            for account in [account for account in self._used if is_over(account, now - KEPT_SECONDS)]:
                del self._used[account]

    def _keep_for_later(self, batch: Batch) -> None:
        """Takes up again what could not be written: those who wait for it give their calls back."""
        self._batch.opened = {**batch.opened, **self._batch.opened}
        self._batch.closed = batch.closed + self._batch.closed
        self._batch.charges = batch.charges + self._batch.charges
