"""What `mlapi status --watch` tells of each model and team, from what was seen lately. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from centralized_ml_api.local.traffic.limits import TeamLimit
from centralized_ml_api.local.traffic.pace import Pace, pace_of_model, pace_of_team

if TYPE_CHECKING:
    from collections.abc import Sequence

    from centralized_ml_api.local.status import EntryStatus, LocalStatus
    from centralized_ml_api.local.traffic.counted import Traffic

WINDOW_SECONDS = 10.0
"""Rates and latencies are of this long; short enough to see a change, long enough to read."""

NEAR = 0.8
"""From this share of a limit on, a team is near it."""


_QUIET = ("ready", "not served")


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A path; `pace` is None until there was something to compare with, `in_flight` while nobody knows."""

    name: str
    state: str
    ready: str
    restarts: int
    pace: Pace | None
    in_flight: int | None


@dataclass(frozen=True, slots=True)
class TeamRow:
    """A team near a limit; `share` is the larger one of its rate's and its quota's."""

    limit: TeamLimit
    pace: Pace
    share: float


class Window:
    """What was seen in the last seconds."""

    def __init__(self, seconds: float = WINDOW_SECONDS) -> None:
        self._seconds = seconds
        self._seen: deque[Traffic] = deque()

    def add(self, traffic: Traffic) -> None:
        """The newest look; those that are too old go, but for the one that spans the window."""
        self._seen.append(traffic)
        while len(self._seen) > 1 and traffic.at - self._seen[1].at >= self._seconds:
            self._seen.popleft()

    def rows_of_models(self, status: LocalStatus) -> list[ModelRow]:
        """A row for each path, in the order of the config."""
        return [self._row(entry) for entry in status.entries]

    def rows_of_teams(self) -> list[TeamRow]:
        """The teams that are near a limit or were refused lately, the nearest first."""
        rows = [self._team(limit) for limit in (self._seen[-1].limits if self._seen else ())]
        near = (row for row in rows if row.share >= NEAR or row.pace.refused_per_second)
        return sorted(near, key=lambda row: -row.share)

    def _row(self, entry: EntryStatus) -> ModelRow:
        now = self._seen[-1].counted if self._seen else None
        return ModelRow(
            entry.name,
            entry.state,
            _ready(entry),
            sum(part.restarts for part in entry.parts),
            self._pace(entry.name),
            (now.in_flight or {}).get(entry.name, 0) if now else None,
        )

    def _pace(self, model: str) -> Pace | None:
        before, now = self._seen[0], self._seen[-1]
        if before.counted is None or now.counted is None or now.at <= before.at:
            return None
        return pace_of_model(model, before.counted, now.counted, now.at - before.at)

    def _team(self, limit: TeamLimit) -> TeamRow:
        before, now = self._seen[0], self._seen[-1]
        pace = Pace(0, 0, 0)
        if before.counted is not None and now.counted is not None and now.at > before.at:
            pace = pace_of_team(limit.name, before.counted, now.counted, now.at - before.at)
        return TeamRow(limit, pace, _share(limit, pace))


def choose_rows(rows: Sequence[ModelRow], most: int) -> list[ModelRow]:
    """As many rows as there is room for, in their order: those in trouble first, then the busiest."""
    chosen = set(sorted(rows, key=_interest)[: max(most, 0)])
    return [row for row in rows if row in chosen]


def _interest(row: ModelRow) -> tuple[bool, float]:
    """Small for rows that somebody wants to see."""
    return row.state in _QUIET, -(row.pace.requests_per_second if row.pace else 0.0)


def _ready(entry: EntryStatus) -> str:
    """Of all processes behind the path."""
    replicas = sum(part.replicas for part in entry.parts)
    return f"{sum(part.ready_replicas for part in entry.parts)}/{replicas}" if replicas else ""


def _share(limit: TeamLimit, pace: Pace) -> float:
    rate = pace.requests_per_second / limit.requests_per_second if limit.requests_per_second else 0.0
    quota = (limit.used_today or 0) / limit.requests_per_day if limit.requests_per_day else 0.0
    return max(rate, quota)
