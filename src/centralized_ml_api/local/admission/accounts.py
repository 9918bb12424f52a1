"""Decides whether a call may spend what it may need, and what it has spent when it is over. Pure.

An account has one number for each of its periods: `used`, which is what was spent and what calls under way
may still need. A call goes on only if its whole need fits below every limit, and `used` grows by that need
first. When the call is over, what it did not spend is taken off again. So `used` never exceeds a limit, in
whatever order calls begin and end; and a call whose end nobody tells has spent all that it asked for.

The same holds for any store that changes a number on a condition: `used + need <= limit`.

What each call makes and looks up several of are tuples: their hashes and comparisons are not Python code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from centralized_ml_api.plan.event import Period, Spending, Unit

SECONDS: dict[Period, int] = {"minute": 60, "day": 24 * 60 * 60}
"""How long periods are, by the clock of UTC; that of an event never ends."""


class Limit(NamedTuple):
    """The most that an owner, a team or `POT`, may use in each of its periods."""

    owner: str
    unit: Unit
    period: Period
    most: int


class Need(NamedTuple):
    """What a call may use at most, or what it has used."""

    tokens: int
    nanodollars: int

    def of(self, unit: Unit) -> int:
        """Returns the part in one unit."""
        return self.tokens if unit == "tokens" else self.nanodollars


@record
class Ask:
    """What a call asks for: its limits, its need, and how its end is to be judged (see `Reservation`)."""

    limits: tuple[Limit, ...]
    need: Need
    price: tuple[int, int, int] | None
    bytes_in: int
    has_tokens: bool


class Account(NamedTuple):
    """What one number is kept for: an owner, a unit, and a period that began at `start`, in seconds."""

    owner: str
    unit: Unit
    period: Period
    start: int


class Charge(NamedTuple):
    """What a call has added to an account."""

    account: Account
    amount: int


@record
class Shortage:
    """A limit that a call does not fit below.

    Attributes:
        limit: The limit.
        need: What the call may need of it.
        left: What nobody has used of it, at least 0.
        pending: What calls under way may still give back.
        returns_after_seconds: When its next period begins; None for one that never ends.
    """

    limit: Limit
    need: int
    left: int
    pending: int
    returns_after_seconds: int | None

    @property
    def is_hopeless(self) -> bool:
        """Whether the call would not fit if nothing was used."""
        return self.need > self.limit.most

    @property
    def is_passing(self) -> bool:
        """Whether the call would fit if every call under way gave everything back."""
        return self.need <= self.left + self.pending


def list_limits(owner: str, spending: Spending) -> tuple[Limit, ...]:
    """Returns what limits an owner, a team or `POT`."""
    return tuple(Limit(owner, *limit) for limit in spending.limits)


def start_period(period: Period, now: float) -> int:
    """Returns when the period of an instant began, in seconds since the epoch; 0 for that of an event."""
    seconds = SECONDS.get(period)
    return int(now // seconds * seconds) if seconds else 0


def open_account(limit: Limit, now: float) -> Account:
    """Returns the account of a limit in the period of an instant, in seconds since the epoch."""
    return Account(limit.owner, limit.unit, limit.period, start_period(limit.period, now))


def is_over(account: Account, now: float) -> bool:
    """Returns whether the account's period began before an instant; that of an event never does."""
    return account.period in SECONDS and account.start < now


def judge_call(
    limits: tuple[Limit, ...],
    need: Need,
    now: float,
    *,
    used: Mapping[Account, int],
    pending: Mapping[Account, int],
) -> tuple[Charge, ...] | Shortage:
    """Returns what a call adds to each account, or the limit that it does not fit below.

    Of several such limits, the one for which its caller waits longest.

    Args:
        limits: All that hold for the call.
        need: What it may need.
        now: In seconds since the epoch.
        used: By account, what is spent and needed so far; accounts without a number have 0.
        pending: By account, what of that calls under way may still give back.
    """
    charges = tuple(Charge(open_account(limit, now), need.of(limit.unit)) for limit in limits)
    short = [
        _describe(limit, charge, now, used.get(charge.account, 0), pending.get(charge.account, 0))
        for limit, charge in zip(limits, charges, strict=True)
        if used.get(charge.account, 0) + charge.amount > limit.most
    ]
    return max(short, key=_rank) if short else charges


def settle_charges(charges: tuple[Charge, ...], spent: Need | None) -> tuple[Charge, ...]:
    """Returns what is added to each account when a call is over: mostly less than nothing.

    Args:
        charges: What the call had added.
        spent: What it has used; None if nobody knows, and it counts in full.
    """
    if spent is None:
        return ()
    return tuple(
        Charge(charge.account, spent.of(charge.account.unit) - charge.amount)
        for charge in charges
        if spent.of(charge.account.unit) != charge.amount
    )


def _describe(limit: Limit, charge: Charge, now: float, used: int, pending: int) -> Shortage:
    seconds = SECONDS.get(limit.period)
    after = None if seconds is None else max(1, int(charge.account.start + seconds - now) + 1)
    return Shortage(limit, charge.amount, max(0, limit.most - used), pending, after)


def _rank(shortage: Shortage) -> tuple[bool, bool, float]:
    """Returns what sorts shortages by how long they last."""
    after = shortage.returns_after_seconds
    return shortage.is_hopeless, not shortage.is_passing, float("inf") if after is None else after
