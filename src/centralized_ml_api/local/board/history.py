"""Keeps how much was called in the last hour: a point every few seconds, from Envoy's counts."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.admission.accounts import start_period
from centralized_ml_api.local.traffic.pace import (
    Pace,
    divide_by_model,
    divide_by_team,
    pace_of_all,
    pace_of_model,
    pace_of_team,
)
from centralized_ml_api.local.traffic.types import Counted, Traffic
from centralized_ml_api.organizer.forecast import Forecast, Used
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from centralized_ml_api.local.machine.clock import Clock

LOOK_SECONDS = 10.0
WORDS_SECONDS = 60.0
"""Over how long waits are taken together: a few teams do not stream in every ten seconds."""

KEPT_POINTS, KEPT_MINUTES = 360, 60
"""An hour."""

MINUTE_SECONDS, HOUR_SECONDS = 60, 3600

_NOTHING = Counted()


@record
class Point:
    """How everything was called around `at`, in seconds since the epoch; rates are per second.

    `first_word` is for how many seconds streams usually let their callers wait for it; None without a stream.
    """

    at: float
    requests: float
    errors: float
    tokens: float
    waiting: int
    first_word: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Returns the same as plain values."""
        return {
            "at": round(self.at),
            "requests": round(self.requests, 3),
            "errors": round(self.errors, 3),
            "tokens": round(self.tokens, 1),
            "waiting": self.waiting,
            "first_word": None if self.first_word is None else round(self.first_word, 2),
        }


@dataclass(slots=True)
class History:
    """The points of the last hour, the pace of each model and team at the latest look, and of what they use.

    `in_flight` has how many calls each model was answering at the latest look; `forecast` names limits as
    `Account` does, those of requests a day too.
    """

    points: deque[Point] = field(default_factory=lambda: deque(maxlen=KEPT_POINTS))
    models: dict[str, Pace] = field(default_factory=dict)
    teams: dict[str, Pace] = field(default_factory=dict)
    in_flight: dict[str, int] = field(default_factory=dict)
    forecast: Forecast = field(default_factory=Forecast)
    _before: Traffic | None = None
    _by_minute: dict[str, dict[int, int]] = field(default_factory=dict)

    def note(
        self,
        traffic: Traffic,
        at: float,
        models: Iterable[str],
        teams: Iterable[str],
        first_word: float | None = None,
    ) -> None:
        """Takes the latest reading; the first one only says where counting begins.

        Args:
            traffic: The reading; one without counts, of a gateway that does not answer, leaves a gap.
            at: When it was taken, in seconds since the epoch.
            models: The names of the entries.
            teams: The names of the teams.
            first_word: What `Point` says.
        """
        self.forecast.note(_list_used(traffic, at), at)
        self.in_flight = (
            {**traffic.counted.in_flight} if traffic.counted and traffic.counted.in_flight else {}
        )
        before, self._before = self._before, traffic
        if before is None or before.counted is None or traffic.counted is None:
            return
        earlier, now, seconds = before.counted, traffic.counted, traffic.at - before.at
        if seconds <= 0:
            return
        pace = pace_of_all(earlier, now, seconds)
        waiting = sum(traffic.waiting.values())
        tokens = pace.tokens_per_second or 0.0
        self._forget_other_times(at)
        self.points.append(
            Point(at, pace.requests_per_second, pace.errors_per_second, tokens, waiting, first_word)
        )
        before_by_model, by_model = divide_by_model(earlier), divide_by_model(now)
        self.models = _measure_each(models, pace_of_model, before_by_model, by_model, seconds)
        before_by_team, by_team = divide_by_team(earlier), divide_by_team(now)
        self.teams = _measure_each(teams, pace_of_team, before_by_team, by_team, seconds)
        self._count_teams(int(at // MINUTE_SECONDS), seconds)

    def list_minutes(self, team: str, at: float) -> list[int]:
        """Returns how often a team called in each minute of the hour until that of `at`, in order."""
        last, calls = int(at // MINUTE_SECONDS), self._by_minute.get(team, {})
        return [calls.get(minute, 0) for minute in range(last - KEPT_MINUTES + 1, last + 1)]

    def _forget_other_times(self, at: float) -> None:
        """Forgets points that are not of the hour before `at`: a clock may be set, back or forward."""
        while self.points and self.points[-1].at > at:
            self.points.pop()
        while self.points and self.points[0].at <= at - HOUR_SECONDS:
            self.points.popleft()

    def _count_teams(self, minute: int, seconds: float) -> None:
        """Adds the calls of the latest look to its minute; forgets all but the hour until then."""
        kept = range(minute - KEPT_MINUTES + 1, minute + 1)
        before, self._by_minute = self._by_minute, {}
        for team, pace in self.teams.items():
            calls = {at: count for at, count in before.get(team, {}).items() if at in kept}
            if new := round(pace.requests_per_second * seconds):
                calls[minute] = calls.get(minute, 0) + new
            if calls:
                self._by_minute[team] = calls


def _list_used(traffic: Traffic, at: float) -> Used:
    """Returns what is used of each limit that has any left, by what `forecast` calls it."""
    used: dict[tuple[str, str, str, int], float] = {
        (left.owner, left.unit, left.period, start_period(left.period, at)): left.most - left.left
        for left in traffic.spending
    }
    day = start_period("day", at)
    return used | {
        (team.name, "requests", "day", day): team.used_today
        for team in traffic.limits
        if team.used_today is not None
    }


def _measure_each(
    names: Iterable[str],
    pace_of: Callable[[str, Counted, Counted, float], Pace],
    before: Mapping[str, Counted],
    now: Mapping[str, Counted],
    seconds: float,
) -> dict[str, Pace]:
    """Returns the pace of each name, from what was counted of it."""
    return {
        name: pace_of(name, before.get(name, _NOTHING), now.get(name, _NOTHING), seconds) for name in names
    }


async def keep_history(
    history: History,
    look: Callable[[], Awaitable[Traffic]],
    names: Callable[[], tuple[Iterable[str], Iterable[str]]],
    wait: Callable[[float], Awaitable[float | None]],
    clock: Clock,
) -> None:
    """Takes a reading every few seconds, until cancelled.

    Args:
        history: Takes them.
        look: Reads what was called so far.
        names: Returns the names of the entries and of the teams, as they are now.
        wait: Returns for how many seconds streams usually wait for their first word since an instant.
        clock: Waits.
    """
    while True:
        traffic, now = await look(), clock.now().timestamp()
        history.note(traffic, now, *names(), await wait(now - WORDS_SECONDS))
        await clock.sleep(LOOK_SECONDS)
