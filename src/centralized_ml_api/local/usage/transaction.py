"""What is written to the store in one transaction."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from datetime import date
from typing import TYPE_CHECKING

from centralized_ml_api.config.token_prices import TokenPrice
from centralized_ml_api.local.usage import statements
from centralized_ml_api.plan.usage.tokens import NO_TOKENS, Tokens

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

    from centralized_ml_api.local.usage.log_lines import Call

MAX_PAIRS = 10_000
"""How many pairs of team and model have rows of their own."""

Kind = tuple[int, str, str, int, int]
"""Hour, team, model, status, bucket of the latency."""


@dataclass(slots=True)
class Count:
    """The calls of one kind; `first` and `last` are in seconds since the epoch."""

    first: float
    last: float
    requests: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    tokens: Tokens = NO_TOKENS

    def add(self, call: Call, tokens: Tokens) -> None:
        """Counts one more call."""
        self.first = min(self.first, call.started)
        self.last = max(self.last, call.started)
        self.requests += 1
        self.bytes_in += call.bytes_in
        self.bytes_out += call.bytes_out
        self.tokens += tokens


def count_calls(calls: Iterable[Call], prices: Mapping[str, TokenPrice]) -> dict[Kind, Count]:
    """Counts the calls of each kind. Pure.

    Args:
        calls: The calls.
        prices: By model, what its tokens cost.
    """
    counts: dict[Kind, Count] = {}
    for call in calls:
        kind = (call.hour, call.team, call.model, call.status, call.bucket)
        price = prices.get(call.model)
        tokens = call.tokens.priced(price, call.cache_writes) if call.tokens.total else call.tokens
        counts.setdefault(kind, Count(call.started, call.started)).add(call, tokens)
    return counts


class UsageTransaction:
    """What can be read and written in one transaction of the store."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def offset(self, segment: str) -> int:
        """Returns how far a segment of the log was read, in bytes."""
        row = self._database.execute(statements.POSITION, (segment,)).fetchone()
        return int(row[0]) if row else 0

    def set_offset(self, segment: str, offset: int) -> None:
        """Notes that a segment was read up to `offset`."""
        self._database.execute(statements.SET_POSITION, (segment, offset))
        self._database.execute(statements.FORGET_POSITIONS, (statements.KEPT_POSITIONS,))

    def add_unreadable(self, lines: int) -> None:
        """Adds to the number of lines that were no calls."""
        self._database.execute(statements.ADD_UNREADABLE, (lines,))

    def add(self, calls: Iterable[Call]) -> None:
        """Adds calls to the counts."""
        pairs: dict[tuple[str, str], int] = {}
        rows = []
        for (hour, team, model, status, bucket), count in count_calls(calls, self.load_prices()).items():
            if (team, model) not in pairs:
                pairs[team, model] = self._find_pair(team, model)
            sums = (count.requests, count.bytes_in, count.bytes_out, count.first, count.last)
            rows.append((hour, pairs[team, model], status, bucket, *sums, *astuple(count.tokens)))
        self._database.executemany(statements.ADD, rows)

    def load_prices(self) -> dict[str, TokenPrice]:
        """Returns what tokens cost now, by model."""
        return {
            model: TokenPrice(read, cached, written, title, date.fromisoformat(day) if day else None)
            for model, read, cached, written, title, day in self._database.execute(statements.PRICES)
        }

    def set_prices(self, prices: Mapping[str, TokenPrice]) -> None:
        """Replaces all prices: what is counted from now on costs this."""
        self._database.execute(statements.DROP_PRICES)
        rows = [
            (model, price.read, price.cached, price.written, price.title, price.day and price.day.isoformat())
            for model, price in prices.items()
        ]
        self._database.executemany(statements.ADD_PRICE, rows)

    def _find_pair(self, team: str, model: str) -> int:
        """Returns the number of a team and a model; once there are too many, the number of all others."""
        row = self._database.execute(statements.PAIR, (team, model)).fetchone()
        if row is None and self._database.execute(statements.PAIRS).fetchone()[0] >= MAX_PAIRS:
            team = model = statements.OTHERS
            row = self._database.execute(statements.PAIR, (team, model)).fetchone()
        if row is None:
            row = self._database.execute(statements.ADD_PAIR, (team, model)).fetchone()
        return int(row[0])

    def prune(self, *, before_hour: int, fold_before_hour: int) -> None:
        """Deletes hours before the first, and merges hours before the second into days."""
        self._database.execute(statements.DROP_OLD, (before_hour,))
        if self._database.execute(statements.IS_TO_FOLD, (fold_before_hour,)).fetchone():
            self._database.execute(statements.FOLD, (fold_before_hour,))
            self._database.execute(statements.DROP_OLD, (fold_before_hour,))
            self._database.execute(statements.TAKE_FOLDED)
            self._database.execute(statements.DROP_FOLDED)
        self._database.execute(statements.DROP_PAIRS)
