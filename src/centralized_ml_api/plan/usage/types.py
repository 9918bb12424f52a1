"""What was called, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import date, datetime
from typing import Literal

from centralized_ml_api.config.token_prices import TokenPrice
from centralized_ml_api.plan.usage.tokens import NO_TOKENS, Tokens
from centralized_ml_api.record import record

NOBODY = "-"
"""The team of a call without a key, and the model of a call that reached none: a page, an unknown path."""

ErrorKind = Literal["refused", "limited", "client", "server", "gone"]
"""401 and 403; 429; any other 4xx; 5xx; no status, because the caller went away."""

ERROR_KINDS: tuple[ErrorKind, ...] = ("refused", "limited", "client", "server", "gone")

_REFUSED = (401, 403)
_LIMITED = 429
_FIRST_ERROR = 400
_FIRST_OF_SERVER = 500


def error_kind(status: int) -> ErrorKind | None:
    """Returns what kind of error a status is; None for a status that is not an error."""
    if not status:
        return "gone"
    if status < _FIRST_ERROR:
        return None
    if status in _REFUSED:
        return "refused"
    if status == _LIMITED:
        return "limited"
    return "client" if status < _FIRST_OF_SERVER else "server"


@record
class Usage:
    """The calls of one team to one model, or of all teams to it.

    `statuses` says how many calls each HTTP status answered, in order of the status; 0 is a caller that went
    away. The percentiles are None where no latency is known, `bytes_in` where nobody counts it. `first` and
    `last` are when the first and the last of the calls began, in UTC. `tokens` are those of all calls.
    """

    team: str
    model: str
    statuses: tuple[tuple[int, int], ...]
    p50_milliseconds: float | None
    p95_milliseconds: float | None
    bytes_in: int | None
    bytes_out: int
    first: datetime
    last: datetime
    tokens: Tokens = NO_TOKENS

    @property
    def requests(self) -> int:
        """The number of all calls."""
        return sum(count for _, count in self.statuses)

    @property
    def errors(self) -> int:
        """The number of calls that failed."""
        return sum(self.errors_by_kind.values())

    @property
    def errors_by_kind(self) -> dict[ErrorKind, int]:
        """The number of failed calls by kind; a kind without any has 0."""
        return {
            kind: sum(count for status, count in self.statuses if error_kind(status) == kind)
            for kind in ERROR_KINDS
        }


@record
class HourUsage:
    """The calls that began in one hour of UTC, or long ago in one day, and what their tokens cost."""

    start: datetime
    requests: int
    errors: int
    nanodollars: int = 0


@record
class TeamDay:
    """The calls of a team on a day of UTC that count towards its daily limit: those that were let through."""

    team: str
    day: date
    requests: int


@record
class SpentTokens:
    """The calls of a team to a model that have tokens, and these tokens."""

    team: str
    model: str
    calls: int = 0
    tokens: Tokens = NO_TOKENS


@record
class UsageTable:
    """Everything that was called since an instant; None is since the counting began.

    `rows` are sorted by team and model, `models` by model with the team `NOBODY`, `hours` by time, without
    those in which nothing was called, `days` by team and day. `notes` are what a reader has to know about
    the numbers. `prices` are what tokens cost now, by model; what was counted before cost what they did then.
    `spent` has the tokens where they are counted apart from the calls, sorted by team and model, as on AWS,
    whose access log does not tell the models of calls under `/v1`; those of `rows` are then none.
    """

    since: datetime | None
    rows: tuple[Usage, ...]
    models: tuple[Usage, ...]
    hours: tuple[HourUsage, ...]
    days: tuple[TeamDay, ...] = ()
    notes: tuple[str, ...] = ()
    prices: Mapping[str, TokenPrice] = field(default_factory=dict)
    spent: tuple[SpentTokens, ...] = ()

    @property
    def requests(self) -> int:
        """The number of all calls."""
        return sum(row.requests for row in self.rows)

    @property
    def errors(self) -> int:
        """The number of calls that failed."""
        return sum(row.errors for row in self.rows)

    @property
    def tokens(self) -> Tokens:
        """The tokens of all calls."""
        return sum((found.tokens for found in self.tokens_by_model), NO_TOKENS)

    @property
    def tokens_by_model(self) -> tuple[SpentTokens, ...]:
        """The tokens of each team and model that have some, sorted by both."""
        rows = (SpentTokens(row.team, row.model, row.requests, row.tokens) for row in self.rows)
        return tuple(found for found in (*rows, *self.spent) if found.tokens.total)

    @property
    def teams(self) -> tuple[str, ...]:
        """The teams that called, in order."""
        return tuple(sorted({row.team for row in self.rows if row.team != NOBODY}))
