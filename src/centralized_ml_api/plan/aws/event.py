"""What an event needs on AWS: who may call what, what its organizer sees and is told. Pure.

Graphs and alarms cost, so only an event has them: the graphs when the config has teams, an end or a budget,
the alarms when it has a budget, whose e-mail they go to. Of an account, the first three dashboards of up to
50 metrics and the first ten alarms are free; after that it is 3 USD and 0.10 USD a month.
Source: https://aws.amazon.com/cloudwatch/pricing/
"""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from centralized_ml_api.errors import DeployError
from centralized_ml_api.plan.aws.nested_stacks import TemplateSize
from centralized_ml_api.plan.event import TeamPlan
from centralized_ml_api.plan.types import GATEWAY_TIMEOUT_SECONDS
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from centralized_ml_api.plan.event import EventPlan


TABLE_CHARACTERS = 2_700
"""How much the function that hands keys on can be told about all teams, and be left with room for a pause.

Lambda measures its variables as one JSON object, in which each quote of JSON within a string takes two.
Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html (4 KB of variables) and
https://github.com/localstack/localstack/pull/6862 (how AWS measures them)
"""

POLICY_CHARACTERS = 7_500
"""How much that function can answer about one team.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
(8 KB, the policy of an authorizer)
"""

_PATH_CHARACTERS = 80
"""What stands before the name of an entry in such a policy, and around it."""


@record
class TeamAccess:
    """One team: its limits, and the entries that it may not call, in config order."""

    team: TeamPlan
    refused: tuple[str, ...]

    @property
    def name(self) -> str:
        """The team's name."""
        return self.team.name


PLACE_PREFIX = "place:"
"""Before the number of a place, where a key has the name of a team. No team has such a name.

Alone, it stands for all places, which may call the same.
"""


def name_place(number: int) -> str:
    """Returns what the place of that number, from 1 on, has as the name of a team."""
    return f"{PLACE_PREFIX}{number}"


@record
class AccessPlan:
    """Who may call, and from when on. Without teams and places, everybody may call without a key.

    With `names_team`, whose key it is must be known at every call, because what teams spend is counted, or
    because each sees its own jobs. `places` are for teams that join, until `joining_ends`, if joining ends by
    itself. `direct` are the entries that API Gateway calls without the function that streams: only the
    function that hands keys on can pause them.
    """

    teams: tuple[TeamAccess, ...]
    starts: datetime | None = None
    names_team: bool = False
    places: tuple[TeamAccess, ...] = ()
    joining_ends: datetime | None = None
    direct: tuple[str, ...] = ()

    @property
    def says_why(self) -> bool:
        """Whether API Gateway itself may have to say why it refuses a key."""
        return self.starts is not None or bool(self.direct)

    @property
    def needs_key(self) -> bool:
        """Whether calls need the key of a team."""
        return bool(self.teams or self.places)

    @property
    def refused(self) -> dict[str, tuple[str, ...]]:
        """The entries that a team may not call, by the names of the teams that may not call all.

        Those of all places are under their prefix.
        """
        of_places = self.places[0].refused if self.places else ()
        of_teams = {team.name: team.refused for team in self.teams if team.refused}
        return of_teams | ({PLACE_PREFIX: of_places} if of_places else {})


def list_places(event: EventPlan) -> tuple[TeamPlan, ...]:
    """Returns a team for each place, by the name of the place, with what a team that joins may call."""
    if event.join is None:
        return ()
    numbers = range(1, event.join.places + 1)
    return tuple(replace(event.join.team, name=name_place(number)) for number in numbers)


def build_access(
    event: EventPlan, entries: Iterable[str], direct: tuple[str, ...] = (), *, jobs: bool = False
) -> AccessPlan:
    """Builds who may call which of the entries.

    Args:
        event: Who takes part.
        entries: The names of all entries.
        direct: Those that API Gateway calls without the function that streams.
        jobs: Whether each team sees its own jobs.

    Raises:
        DeployError: The teams' lists exclude more than fits into AWS's limits.
    """
    names = tuple(entries)
    teams = tuple(TeamAccess(team, _refused(team, names)) for team in event.teams)
    access = AccessPlan(
        teams,
        event.starts,
        names_team=event.limits_spending or jobs,
        places=tuple(TeamAccess(place, _refused(place, names)) for place in list_places(event)),
        joining_ends=event.join.until if event.join else None,
        direct=direct,
    )
    refused = access.refused
    if _is_too_much(refused):
        of_places = {PLACE_PREFIX: refused[PLACE_PREFIX]} if PLACE_PREFIX in refused else {}
        if _is_too_much(of_places):
            raise DeployError(
                "the list of models for teams that join excludes too many models for API Gateway",
                fix="omit `models` of `event.join.limits`, or deploy two configs",
            )
        raise DeployError(
            "the teams' lists of models exclude too many models for API Gateway",
            fix="omit `models` for teams that may call nearly all models, or deploy two configs",
        )
    return access


def _is_too_much(refused: Mapping[str, tuple[str, ...]]) -> bool:
    """Returns whether AWS cannot be told of the entries that teams may not call, all teams or one."""
    policies = [sum(_PATH_CHARACTERS + len(name) for name in names) for names in refused.values()]
    written = json.dumps(json.dumps(refused))
    return len(written) > TABLE_CHARACTERS or max(policies, default=0) > POLICY_CHARACTERS


SECONDS_A_TEAM = 15
"""What a deploy takes for the key, the plan and the joining of both, one after another: an estimate.

The real service sets no time for it; CloudFormation needs some seconds for each resource.
"""

_MINUTE = 60


def time_of_keys(teams: int) -> tuple[str, ...]:
    """Returns a sentence about how long a deploy takes to make the keys of so many teams; none for a few."""
    if teams * SECONDS_A_TEAM < _MINUTE:
        return ()
    minutes = math.ceil(teams * SECONDS_A_TEAM / _MINUTE)
    time = "a minute" if minutes == 1 else f"{minutes} minutes"
    return (f"API Gateway makes keys one after another: those of {teams} new teams take about {time}.",)


END_RETRY_MINUTES = 30
"""How often a deployment is deleted from the end of the event on, until nothing is left of it."""

ENDPOINTS_FIRST_MINUTES = 10
"""How long endpoints have to go before the stack is deleted: longer than SageMaker takes for one."""


def how_it_starts(event: EventPlan, *, has_endpoints: bool) -> tuple[str, ...]:
    """Returns what runs before the start of the event; nothing without a start or without endpoints."""
    if event.starts is None or not has_endpoints:
        return ()
    when = "Endpoints run, and are billed, from the deploy on, so that they are ready when the event starts"
    return (f"{when}; until then calls are refused.",)


def how_it_ends(event: EventPlan, *, has_endpoints: bool) -> tuple[str, ...]:
    """Returns what happens at the end of the event, and who is told if it fails; nothing without an end."""
    if event.ends is None:
        return ()
    what = "the stack is deleted"
    if has_endpoints:
        what = f"the endpoints are deleted, {ENDPOINTS_FIRST_MINUTES} minutes later the stack"
    told = (
        f"A failure is mailed to {event.budget.email}."
        if event.budget
        else ("Nobody is told if that fails: add `event.budget`, whose `email` is.")
    )
    return (f"At the end, {what}, and again every {END_RETRY_MINUTES} minutes until nothing is left. {told}",)


def _refused(team: TeamPlan, entries: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in entries if not team.may_call(name))


MOST_SHOWN = 50
"""Of models and of functions each, in config order: nobody can read more lines, and 150 models would take a
fifth of a stack. CloudWatch has the metrics of the others too.
"""

_FIXED = TemplateSize(resources=6, characters=5_000)
_SHOWN = TemplateSize(characters=1_100)
_COUNTED = TemplateSize(characters=1_800)


@record
class AlarmPlan:
    """When an e-mail is sent: `minutes` in a row, the value of each minute being above `threshold`.

    `of` says whose metric it is: this API's, or that of all functions of the account in the region.
    """

    id: str
    says: str
    of: Literal["api", "functions"]
    metric: str
    statistic: str
    threshold: float
    minutes: int


API_ERRORS = AlarmPlan(
    id="Errors",
    says="More than 5 % of calls were answered with 5xx: a model or a function is broken or too slow.",
    of="api",
    metric="5XXError",
    statistic="Average",
    threshold=0.05,
    minutes=3,
)
FUNCTION_THROTTLES = AlarmPlan(
    id="Throttles",
    says="Lambda throttles calls: the account has reached its limit of concurrent executions.",
    of="functions",
    metric="Throttles",
    statistic="Sum",
    threshold=0,
    minutes=2,
)


_SLOW = 0.7
"""Of the time that the API waits: how much of it a call has to take to count as slow."""


def build_latency_alarm(timeout_seconds: int) -> AlarmPlan:
    """Builds the alarm of slow calls of an API that waits so many seconds."""
    slow = round(timeout_seconds * _SLOW)
    return AlarmPlan(
        id="Latency",
        says=f"5 % of calls take {slow} seconds or longer; the API gives up after {timeout_seconds} seconds.",
        of="api",
        metric="Latency",
        statistic="p95",
        threshold=slow * 1000,
        minutes=5,
    )


@record
class DashboardPlan:
    """The graphs: of the API, of these endpoints of our own, of these functions and the one that streams.

    `email` is told of the `alarms`; without one there are none. `counts`: the last counts what teams spend.
    """

    endpoints: tuple[str, ...]
    functions: tuple[str, ...]
    streams: bool
    alarms: tuple[AlarmPlan, ...]
    email: str | None
    counts: bool = False

    @property
    def size(self) -> TemplateSize:
        """What it takes of the main stack."""
        shown = len(self.endpoints) + len(self.functions)
        counted = _COUNTED.characters if self.counts else 0
        return _FIXED + TemplateSize(characters=shown * _SHOWN.characters + counted)


def build_dashboard(
    event: EventPlan,
    endpoints: Sequence[str],
    functions: Sequence[str],
    *,
    streams: bool,
    counts: bool = False,
    timeout_seconds: int = GATEWAY_TIMEOUT_SECONDS,
) -> DashboardPlan | None:
    """Builds the dashboard of an event; None without an event.

    Args:
        event: The event as decided.
        endpoints: The entries with an endpoint of our own.
        functions: The entries with a function.
        streams: Whether there is the function that streams.
        counts: Whether it counts what teams spend.
        timeout_seconds: How long the API waits.
    """
    if not (event.needs_key or event.ends or event.budget):
        return None
    alarms: tuple[AlarmPlan, ...] = ()
    if event.budget:
        # Streamed answers may take minutes and would set off the latency alarm.
        latency = () if streams else (build_latency_alarm(timeout_seconds),)
        throttles = (FUNCTION_THROTTLES,) if functions or streams else ()
        alarms = (API_ERRORS, *latency, *throttles)
    return DashboardPlan(
        tuple(endpoints[:MOST_SHOWN]),
        tuple(functions[:MOST_SHOWN]),
        streams,
        alarms,
        event.budget.email if event.budget else None,
        counts,
    )
