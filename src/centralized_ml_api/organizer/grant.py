"""What an organizer grants to a team on top of its limits: read, added up, taken back. Pure."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from centralized_ml_api.errors import UsageError
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from centralized_ml_api.plan.event import TeamPlan

UNITS = ("usd", "tokens", "requests")
_MOST = 10**9
"""Of any unit: more is a slip of the finger, and all sums stay exact."""


@record
class Grant:
    """What a team may use on top of its limits: those per day, and those of the whole event."""

    nanodollars: int = 0
    tokens: int = 0
    requests: int = 0

    def add(self, other: Grant) -> Grant:
        """Returns the sum."""
        return Grant(
            self.nanodollars + other.nanodollars, self.tokens + other.tokens, self.requests + other.requests
        )

    def take(self, other: Grant) -> Grant:
        """Returns what is left without the other; of each unit at least nothing."""
        return Grant(
            max(0, self.nanodollars - other.nanodollars),
            max(0, self.tokens - other.tokens),
            max(0, self.requests - other.requests),
        )

    def raise_limits(self, team: TeamPlan) -> TeamPlan:
        """Returns the team with its raised limits; what nothing limits stays so, and so do rates."""
        if self == NOTHING:
            return team
        spending = team.spending
        return replace(
            team,
            requests_per_day=_raise(team.requests_per_day, self.requests),
            spending=replace(
                spending,
                tokens_per_day=_raise(spending.tokens_per_day, self.tokens),
                tokens=_raise(spending.tokens, self.tokens),
                nanodollars_per_day=_raise(spending.nanodollars_per_day, self.nanodollars),
                nanodollars=_raise(spending.nanodollars, self.nanodollars),
            ),
        )

    def find_unlimited(self, team: TeamPlan) -> str:
        """Returns the first unit of this that nothing limits for the team; empty without one."""
        spending = team.spending
        limited = {
            "dollars": spending.has_money or not self.nanodollars,
            "tokens": spending.tokens is not None or spending.tokens_per_day is not None or not self.tokens,
            "requests a day": team.requests_per_day is not None or not self.requests,
        }
        return next((unit for unit, is_limited in limited.items() if not is_limited), "")

    def word(self) -> str:
        """Returns it in words, such as `1.5 USD and 1000 tokens`."""
        usd = f"{_dollars(self.nanodollars).normalize():f}"
        parts = [(self.nanodollars, f"{usd} USD"), (self.tokens, f"{self.tokens} tokens")]
        parts.append((self.requests, f"{self.requests} requests a day"))
        return " and ".join(words for amount, words in parts if amount)

    def to_json(self) -> dict[str, float]:
        """Returns it as plain values, money in dollars."""
        return {
            "usd": float(_dollars(self.nanodollars)),
            "tokens": self.tokens,
            "requests": self.requests,
        }


NOTHING = Grant()


def read_grant(wanted: Mapping[str, Any]) -> Grant:
    """Reads what is to be granted: `usd`, `tokens`, `requests`, one of them at least.

    Raises:
        UsageError: None is there, or one is no positive number; tokens and requests are whole.
    """
    amounts = {unit: wanted[unit] for unit in UNITS if unit in wanted}
    for unit, amount in amounts.items():
        kinds, number = ((int, float), "number") if unit == "usd" else ((int,), "whole number")
        if isinstance(amount, bool) or not isinstance(amount, kinds) or not 0 < amount <= _MOST:
            raise UsageError(f"`{unit}` is no amount", fix=f"give a {number} above 0, up to {_MOST}")
    if not amounts:
        raise UsageError("there is no amount", fix=f"give one of: {', '.join(UNITS)}")
    usd = Decimal(str(amounts.get("usd", 0)))
    return Grant(math.ceil(usd.scaleb(9)), amounts.get("tokens", 0), amounts.get("requests", 0))


def _dollars(nanodollars: int) -> Decimal:
    return Decimal(nanodollars).scaleb(-9)


def _raise(limit: int | None, amount: int) -> int | None:
    return None if limit is None else limit + amount
