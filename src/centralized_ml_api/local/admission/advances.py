"""Advances: what calls may need of an account before the disk hears of it. The disk holds it as used already.

Most calls then wait for no disk. Should this process or the machine die, a whole advance counts as used. So
it is a small share of what is left of a limit, and there is none where a call needs more than that.

What the book has of an account, `used` and advance, is never less than what calls have used that went on, and
what those under way may still use. This holds at each moment of a write too: until it is known to have
succeeded, calls get no more than both the former and the new advance allow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from centralized_ml_api.local.admission.accounts import Account, Charge, Limit

SHARE = 128
"""An advance is what is left of a limit, divided by this: less than one percent."""

KEPT_SECONDS = 10.0
"""How long after its last call an account keeps its advance."""


@dataclass(slots=True)
class _Advance:
    """The advance of one account.

    Attributes:
        most: The limit of the account.
        spare: What calls may still take.
        coming: What they may take in addition once the present write has succeeded.
        planned: What that write notes.
        written: What the disk has; None if nobody knows.
        is_wanted: Whether the last call needed little enough of every account.
        touched: When it was, by the clock that is never set.
    """

    most: int = 0
    spare: int = 0
    coming: int = 0
    planned: int = 0
    written: int | None = 0
    is_wanted: bool = False
    touched: float = float("-inf")


class Advances:
    """The advances of all accounts.

    Args:
        elapsed: Returns the seconds of a clock that is never set.
        kept_seconds: How long after its last call an account keeps its advance.
    """

    def __init__(self, elapsed: Callable[[], float], kept_seconds: float = KEPT_SECONDS) -> None:
        self._elapsed = elapsed
        self._kept_seconds = kept_seconds
        self._advances: dict[Account, _Advance] = {}

    @property
    def kept_seconds(self) -> float:
        """How long after its last call an account keeps its advance."""
        return self._kept_seconds

    @property
    def is_any_left(self) -> bool:
        """Whether calls may take anything, which ends when nobody has called for a while."""
        return any(advance.spare for advance in self._advances.values())

    def take(self, limits: Iterable[Limit], charges: Iterable[Charge], used: Mapping[Account, int]) -> bool:
        """Takes what a call needs of each account, or nothing; returns whether it did.

        Args:
            limits: Those of the call.
            charges: What it needs, in the same order.
            used: By account, what is used of it so far.
        """
        now, is_enough, is_little, found = self._elapsed(), True, True, []
        for limit, charge in zip(limits, charges, strict=True):
            account, amount = charge.account, charge.amount
            advance = self._advances.get(account)
            if advance is None:
                advance = self._advances[account] = _Advance()
            advance.most, advance.touched = limit.most, now
            is_enough &= advance.spare >= amount
            is_little &= limit.most - used.get(account, 0) >= SHARE * amount
            found.append((advance, amount))
        for advance, amount in found:
            advance.is_wanted = is_little
            if is_enough:
                advance.spare -= amount
        return is_enough

    def give_back(self, changes: Iterable[Charge]) -> None:
        """Takes back what a call did not use of what it had taken, or takes what it used beyond that."""
        for change in changes:
            self._advances[change.account].spare -= change.amount

    def plan(self, used: Mapping[Account, int]) -> dict[Account, int]:
        """Returns the advances that a write is to note beside what is used now, where the disk has others.

        Only one write may be under way.
        """
        now, planned = self._elapsed(), {}
        for account, advance in [*self._advances.items()]:
            is_kept = advance.is_wanted and now - advance.touched < self._kept_seconds
            left = advance.most - used.get(account, 0)
            advance.planned = max(0, left // SHARE) if is_kept else 0
            if not is_kept and advance.written == 0:
                del self._advances[account]
                continue
            advance.spare = min(advance.spare, advance.planned)
            advance.coming = advance.planned - advance.spare
            if advance.planned != advance.written:
                planned[account], advance.written = advance.planned, None
        return planned

    def grant(self) -> None:
        """Lets calls take what was planned: it is on the disk."""
        for advance in self._advances.values():
            if advance.written is None or advance.coming:
                advance.spare, advance.coming = advance.spare + advance.coming, 0
                advance.written = advance.planned

    def end(self) -> None:
        """Lets the next write note that there are none, whoever calls until then."""
        self._kept_seconds = 0.0
