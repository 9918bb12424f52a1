"""What organizers have granted to teams on top of their limits: `granted.json` of the state folder.

It is kept over restarts and reloads, and forgotten once the event has ended.
"""

from __future__ import annotations

import contextlib
import json
import math
from dataclasses import asdict, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.event_end import render_instant
from centralized_ml_api.errors import StartError, UsageError
from centralized_ml_api.local.machine.private_file import write_private_file
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from centralized_ml_api.plan.event import TeamPlan

GRANTS_FILE = "granted.json"
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


class Grants:
    """What each team may use on top of its limits.

    Args:
        path: The file; None keeps nothing. One that is missing or damaged says nothing.
        now: What ended before this instant is forgotten.
    """

    def __init__(self, path: Path | None = None, now: datetime | None = None) -> None:
        self._path = path
        self._ends: datetime | None = None
        self._by_team: dict[str, Grant] = {}
        self._is_written = True
        if path is not None:
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
                self._load(json.loads(path.read_text(encoding="utf-8")), now or datetime.now(UTC))

    def find(self, team: str) -> Grant:
        """Returns what a team has been granted."""
        return self._by_team.get(team, NOTHING)

    def to_json(self) -> dict[str, dict[str, float]]:
        """Returns by team what it has been granted, without those that have nothing."""
        return {team: grant.to_json() for team, grant in self._by_team.items()}

    def replace(self, team: str, grant: Grant) -> None:
        """Makes this what a team has been granted.

        Raises:
            StartError: The file cannot be written; nothing has changed.
        """
        before = self._by_team
        self._set(team, grant)
        try:
            self._write()
        except BaseException:
            self._by_team = before
            raise

    def restore(self, team: str, grant: Grant) -> None:
        """Makes this what a team has been granted, again: on the disk too if that is possible."""
        self._set(team, grant)
        self._write_if_possible()

    def follow(self, ends: datetime | None) -> None:
        """Takes note of when the event ends, on the disk too if that is possible.

        What could not be written before is written now.
        """
        is_new = ends != self._ends and bool(self._by_team)
        self._ends = ends
        if is_new or not self._is_written:
            self._write_if_possible()

    def raise_limits(self, team: TeamPlan) -> TeamPlan:
        """Returns the team with its raised limits; what nothing limits stays so, and so do rates."""
        grant, spending = self.find(team.name), team.spending
        if grant == NOTHING:
            return team
        return replace(
            team,
            requests_per_day=_raise(team.requests_per_day, grant.requests),
            spending=replace(
                spending,
                tokens_per_day=_raise(spending.tokens_per_day, grant.tokens),
                tokens=_raise(spending.tokens, grant.tokens),
                nanodollars_per_day=_raise(spending.nanodollars_per_day, grant.nanodollars),
                nanodollars=_raise(spending.nanodollars, grant.nanodollars),
            ),
        )

    def _load(self, written: Mapping[str, Any], now: datetime) -> None:
        ends = datetime.fromisoformat(written["ends"]) if written["ends"] else None
        if ends is None or ends > now:
            self._by_team = {str(team): Grant(**grant) for team, grant in written["teams"].items()}
            self._ends = ends

    def _set(self, team: str, grant: Grant) -> None:
        others = {name: granted for name, granted in self._by_team.items() if name != team}
        self._by_team = others if grant == NOTHING else {**others, team: grant}

    def _write_if_possible(self) -> None:
        try:
            self._write()
        except StartError:
            self._is_written = False

    def _write(self) -> None:
        if self._path is None:
            return
        written = {
            "ends": render_instant(self._ends) if self._ends else "",
            "teams": {team: asdict(grant) for team, grant in self._by_team.items()},
        }
        write_private_file(self._path, json.dumps(written, indent=1) + "\n")
        self._is_written = True


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
