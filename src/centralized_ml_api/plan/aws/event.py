"""What an event needs on AWS: who may call what, and whether somebody has to look that up. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from centralized_ml_api.plan.event import TeamPlan

if TYPE_CHECKING:
    from collections.abc import Iterable

    from centralized_ml_api.plan.event import EventPlan


@dataclass(frozen=True, slots=True)
class TeamAccess:
    """One team: its limits, and the entries that it may not call, in config order."""

    team: TeamPlan
    refused: tuple[str, ...]

    @property
    def name(self) -> str:
        """The team's name."""
        return self.team.name


@dataclass(frozen=True, slots=True)
class AccessPlan:
    """Who may call. Without teams, everybody may, without a key."""

    teams: tuple[TeamAccess, ...]

    @property
    def refused(self) -> dict[str, tuple[str, ...]]:
        """The entries that a team may not call, by the names of the teams that may not call all."""
        return {one.name: one.refused for one in self.teams if one.refused}


def build_access(event: EventPlan, entries: Iterable[str]) -> AccessPlan:
    """Who may call which of the entries."""
    names = tuple(entries)
    return AccessPlan(tuple(TeamAccess(team, _refused(team, names)) for team in event.teams))


def _refused(team: TeamPlan, entries: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in entries if not team.may_call(name))
