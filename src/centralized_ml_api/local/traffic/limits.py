"""What each team may, and how much of it is used. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from centralized_ml_api.plan.event import EventPlan


@dataclass(frozen=True, slots=True)
class TeamLimit:
    """A team's limits, None where there is none. `used_today`: its calls of the UTC day, where known."""

    name: str
    requests_per_second: float | None
    requests_per_day: int | None
    used_today: int | None

    def to_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


def build_limits(event: EventPlan, used: Mapping[str, int] | None) -> tuple[TeamLimit, ...]:
    """The limits of every team, in the order of the config; `used` is None when it is not known."""
    return tuple(
        TeamLimit(
            team.name,
            team.throttle.requests_per_second if team.throttle else None,
            team.requests_per_day,
            None if used is None else used.get(team.name, 0),
        )
        for team in event.teams
    )


def parse_limits(values: Iterable[Mapping[str, Any]]) -> tuple[TeamLimit, ...]:
    """What `TeamLimit.to_json` made."""
    return tuple(TeamLimit(**value) for value in values)
