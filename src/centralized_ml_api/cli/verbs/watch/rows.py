"""Computes what `mlapi status --watch` shows of each model and team from the last seconds. Pure."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from centralized_ml_api.local.traffic.pace import (
    Pace,
    divide_by_model,
    divide_by_team,
    pace_of_all,
    pace_of_model,
    pace_of_team,
)
from centralized_ml_api.local.traffic.types import Counted, SpendingLeft, TeamLimit
from centralized_ml_api.plan.event import POT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from centralized_ml_api.local.status import EntryStatus, LocalStatus
    from centralized_ml_api.local.traffic.types import Traffic
    from centralized_ml_api.plan.event import Unit

    Divide = Callable[[Counted], Mapping[str, Counted]]
    Measure = Callable[[str, Counted, Counted, float], Pace]

WINDOW_SECONDS = 10.0
"""The time that rates and latencies cover: short enough to see a change, long enough to read."""

NEAR = 0.8
"""The share of a limit from which a team is near it."""

_QUIET = ("ready", "asleep", "not served")


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A path; `pace` is None until there are two looks to compare, `in_flight` while it is unknown.

    `waiting` is None where calls do not take turns.
    """

    name: str
    state: str
    ready: str
    restarts: int
    pace: Pace | None
    in_flight: int | None
    waiting: int | None = None


@dataclass(frozen=True, slots=True)
class TeamRow:
    """A team, or all teams together; `share` is the largest one of what it uses of its limits.

    `left` is what is left of its limits in tokens and dollars.
    """

    limit: TeamLimit
    pace: Pace
    share: float
    left: tuple[SpendingLeft, ...] = ()

    @property
    def title(self) -> str:
        """The team's name, or that it is all of them."""
        return "all teams together" if self.limit.name == POT else self.limit.name

    def least_left(self, unit: Unit) -> int | None:
        """Returns what is left of the limit in a unit of which least is; None without any."""
        return min((left.left for left in self.left if left.unit == unit), default=None)


class Window:
    """The looks of the last seconds."""

    def __init__(self, seconds: float = WINDOW_SECONDS) -> None:
        self._seconds = seconds
        self._seen: deque[Traffic] = deque()

    def add(self, traffic: Traffic) -> None:
        """Adds the newest look; drops older ones, except the one from which the window is measured."""
        self._seen.append(traffic)
        while len(self._seen) > 1 and traffic.at - self._seen[1].at >= self._seconds:
            self._seen.popleft()

    def model_rows(self, status: LocalStatus) -> list[ModelRow]:
        """Returns a row for each path, in the order of the config."""
        pace_of = self._measure_each(divide_by_model, pace_of_model)
        return [self._row(entry, pace_of(entry.name)) for entry in status.entries]

    def team_rows(self) -> list[TeamRow]:
        """Returns the teams that are near a limit or were refused lately, the nearest first.

        And all whose tokens or dollars are limited, all teams together among them.
        """
        if not self._seen:
            return []
        everybody = TeamLimit(POT, None, None, None)
        pace_of = self._measure_each(divide_by_team, pace_of_team)
        left: defaultdict[str, list[SpendingLeft]] = defaultdict(list)
        for each in self._seen[-1].spending:
            left[each.owner].append(each)
        rows = [
            *(_build_team(limit, pace_of(limit.name), left[limit.name]) for limit in self._seen[-1].limits),
            _build_team(everybody, self._measure_all(), left[POT]),
        ]
        near = (
            row
            for row in rows
            if row.left or (row.limit is not everybody and (row.share >= NEAR or row.pace.refused_per_second))
        )
        return sorted(near, key=lambda row: -row.share)

    def _row(self, entry: EntryStatus, pace: Pace | None) -> ModelRow:
        now = self._seen[-1].counted if self._seen else None
        ready = sum(part.ready_replicas for part in entry.parts)
        replicas = sum(part.replicas for part in entry.parts)
        return ModelRow(
            entry.name,
            entry.state,
            f"{ready}/{replicas}" if replicas else "",
            sum(part.restarts for part in entry.parts),
            pace,
            (now.in_flight or {}).get(entry.name, 0) if now else None,
            self._seen[-1].waiting.get(entry.name) if self._seen else None,
        )

    def _measure_each(self, divide: Divide, measure: Measure) -> Callable[[str], Pace | None]:
        """Returns what gives the pace of a model or team; each look is divided once for all of them."""
        compared = self._compare()
        if compared is None:
            return lambda _: None
        before, now, seconds = compared
        earlier, later, none = divide(before), divide(now), Counted()
        return lambda name: measure(name, earlier.get(name, none), later.get(name, none), seconds)

    def _measure_all(self) -> Pace | None:
        compared = self._compare()
        return pace_of_all(*compared) if compared else None

    def _compare(self) -> tuple[Counted, Counted, float] | None:
        """Returns the first and the last look, and the seconds between them, if there are such."""
        if not self._seen:
            return None
        before, now = self._seen[0], self._seen[-1]
        if before.counted is None or now.counted is None or now.at <= before.at:
            return None
        return before.counted, now.counted, now.at - before.at


def _build_team(limit: TeamLimit, pace: Pace | None, left: Sequence[SpendingLeft]) -> TeamRow:
    measured = pace or Pace(0, 0, 0)
    share = max(_share(limit, measured), *map(_used_share, left), 0.0)
    return TeamRow(limit, measured, share, tuple(left))


def choose_rows(rows: Sequence[ModelRow], most: int) -> list[ModelRow]:
    """Returns the rows there is room for, in their order; prefers those in trouble, then the busiest."""
    chosen = set(sorted(rows, key=_interest)[: max(most, 0)])
    return [row for row in rows if row in chosen]


def _interest(row: ModelRow) -> tuple[bool, float]:
    """Returns what sorts the rows that somebody wants to see first."""
    return row.state in _QUIET, -(row.pace.requests_per_second if row.pace else 0.0)


def _used_share(limit: SpendingLeft) -> float:
    return 1 - limit.left / limit.most if limit.most else 1.0


def _share(limit: TeamLimit, pace: Pace) -> float:
    rate = pace.requests_per_second / limit.requests_per_second if limit.requests_per_second else 0.0
    quota = (limit.used_today or 0) / limit.requests_per_day if limit.requests_per_day else 0.0
    return max(rate, quota)
