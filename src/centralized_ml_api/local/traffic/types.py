"""What Envoy has counted since it started, and what each team may call. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, field
from math import inf
from typing import TYPE_CHECKING, Any, Literal

from centralized_ml_api.local.admission.accounts import list_limits, open_account
from centralized_ml_api.plan.event import POT, Period, Unit
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from centralized_ml_api.local.admission.accounts import Account
    from centralized_ml_api.plan.event import EventPlan

TokenKind = Literal["in", "cached", "out"]
"""Of a call: all that the model's server read, what of it it had in a cache, what it wrote."""

METRICS_PATH = "/metrics"
"""Where Prometheus scrapes."""


@record
class Requests:
    """How many calls had the same labels. `model` is empty for an unknown path, `team` without a key."""

    model: str
    team: str
    status: int
    count: int


@record
class Durations:
    """How long the calls of a model took, as a histogram.

    `buckets` are (upper bound in milliseconds, number of calls up to it); the last bound is infinite.
    `sum_milliseconds` is the sum over all calls.
    """

    model: str
    buckets: tuple[tuple[float, int], ...]
    sum_milliseconds: float


@record
class TokenCount:
    """How many tokens of one kind the calls of a team to a model had, reported or estimated from bytes."""

    model: str
    team: str
    kind: TokenKind
    estimated: bool
    count: int


@record
class Counted:
    """One reading. `in_flight`: the calls in progress, by upstream as Envoy has it, by model after `read`."""

    requests: tuple[Requests, ...] = ()
    durations: tuple[Durations, ...] = ()
    in_flight: Mapping[str, int] | None = None
    tokens: tuple[TokenCount, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Returns the same as JSON-able values; JSON has no infinity, so the last bound is None."""
        durations = [
            {
                "model": histogram.model,
                "buckets": [(None if bound == inf else bound, count) for bound, count in histogram.buckets],
                "sum_milliseconds": histogram.sum_milliseconds,
            }
            for histogram in self.durations
        ]
        return {**asdict(self), "durations": durations}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Counted:
        """Returns what `to_json` was called on, also after a round trip through JSON."""
        return cls(
            tuple(Requests(**requests) for requests in value["requests"]),
            tuple(_parse_durations(**durations) for durations in value["durations"]),
            value["in_flight"],
            tuple(TokenCount(**tokens) for tokens in value["tokens"]),
        )


def _parse_durations(
    model: str, buckets: Iterable[tuple[float | None, int]], sum_milliseconds: float
) -> Durations:
    bounds = ((inf if bound is None else bound, count) for bound, count in buckets)
    return Durations(model, tuple(bounds), sum_milliseconds)


@record
class TeamLimit:
    """A team's limits, None where it has none. `used_today`: its calls of the UTC day, if known."""

    name: str
    requests_per_second: float | None
    requests_per_day: int | None
    used_today: int | None


def build_team_limits(event: EventPlan, used: Mapping[str, int] | None) -> tuple[TeamLimit, ...]:
    """Builds the limits of every team, in the order of the config; `used` is None if not known. Pure."""
    return tuple(
        TeamLimit(
            team.name,
            team.throttle.requests_per_second if team.throttle else None,
            team.requests_per_day,
            None if used is None else used.get(team.name, 0),
        )
        for team in event.teams
    )


@record
class SpendingLeft:
    """What is left of a limit in tokens or dollars, of a team or of all together (`POT`).

    `left` is less by what calls under way may still need.
    """

    owner: str
    unit: Unit
    period: Period
    most: int
    left: int


def build_spending_left(
    event: EventPlan, used: Mapping[Account, int], now: float
) -> tuple[SpendingLeft, ...]:
    """Builds what is left of every limit of teams, in the order of the config, and of all together. Pure.

    Args:
        event: What is limited.
        used: By account, what is used.
        now: In seconds since the epoch.
    """
    owners = [*((team.name, team.spending) for team in event.teams), (POT, event.pot)]
    return tuple(
        SpendingLeft(
            owner,
            limit.unit,
            limit.period,
            limit.most,
            max(0, limit.most - used.get(open_account(limit, now), 0)),
        )
        for owner, spending in owners
        for limit in list_limits(owner, spending)
    )


@record
class Traffic:
    """What was called until `at` (seconds of a monotonic clock) and what teams may call.

    `counted` is None while the gateway does not answer. `waiting` has the calls that wait for their turn, by
    model, of the models at which calls take turns. `spending` is what is left of limits in tokens and
    dollars.
    """

    at: float
    counted: Counted | None
    limits: tuple[TeamLimit, ...] = ()
    waiting: Mapping[str, int] = field(default_factory=dict)
    spending: tuple[SpendingLeft, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Returns the same as JSON-able values."""
        counted = self.counted.to_json() if self.counted else None
        limits = [asdict(limit) for limit in self.limits]
        spending = [asdict(left) for left in self.spending]
        return {
            "at": self.at,
            "counted": counted,
            "limits": limits,
            "waiting": dict(self.waiting),
            "spending": spending,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Traffic:
        """Returns what `to_json` was called on, also after a round trip through JSON."""
        counted = Counted.from_json(value["counted"]) if value["counted"] else None
        limits = tuple(TeamLimit(**limit) for limit in value["limits"])
        spending = tuple(SpendingLeft(**left) for left in value["spending"])
        return cls(value["at"], counted, limits, value["waiting"], spending)
