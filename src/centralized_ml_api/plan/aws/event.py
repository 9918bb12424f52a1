"""What an event needs on AWS: who may call what, and whether that fits. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from centralized_ml_api.errors import DeployError
from centralized_ml_api.plan.event import TeamPlan

if TYPE_CHECKING:
    from collections.abc import Iterable

    from centralized_ml_api.plan.event import EventPlan

TABLE_CHARACTERS = 3_500
"""How much the function that gives keys on can be told of all teams.

Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html (4 KB of variables)
"""

POLICY_CHARACTERS = 7_500
"""How much that function can answer about one team.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
(8 KB, the policy of an authorizer)
"""

_PATH_CHARACTERS = 80
"""What stands before the name of an entry in such a policy, and around it."""


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
    """Who may call which of the entries.

    Raises:
        DeployError: the lists of the teams leave out more than AWS can be told.
    """
    names = tuple(entries)
    access = AccessPlan(tuple(TeamAccess(team, _refused(team, names)) for team in event.teams))
    policies = [sum(_PATH_CHARACTERS + len(name) for name in refused) for refused in access.refused.values()]
    if len(json.dumps(access.refused)) > TABLE_CHARACTERS or max(policies, default=0) > POLICY_CHARACTERS:
        raise DeployError(
            "the models that teams may not call are too many for API Gateway to be told",
            fix="leave `models` out for teams that may call nearly all, or deploy two configs",
        )
    return access


def _refused(team: TeamPlan, entries: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in entries if not team.may_call(name))
