"""Builds what the organizer's screen shows of a deployed stack: as that of one machine, as far as AWS knows.

Pure. `acts` names what can be done; the page has no other buttons.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime
from math import inf
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.event_end import render_instant
from centralized_ml_api.api.invitation import Invitation
from centralized_ml_api.api.keys import TeamKeys
from centralized_ml_api.api.notices import Message
from centralized_ml_api.aws.event.grants import read_grants
from centralized_ml_api.aws.event.pauses import EVERYTHING, Pauses
from centralized_ml_api.aws.stack.status import StackStatus
from centralized_ml_api.aws.stack.stored import read_count
from centralized_ml_api.aws.usage.spent_tokens import Item, add_days
from centralized_ml_api.organizer.board_shape import (
    add_up,
    describe_invitation,
    describe_limit,
    in_dollars,
)
from centralized_ml_api.organizer.forecast import Forecast
from centralized_ml_api.organizer.grant import NOTHING, Grant
from centralized_ml_api.plan.aws.spending import GRANTED_SPAN, OWNER_KEY, PERIOD_KEY, TEAM_OWNER
from centralized_ml_api.plan.types import ApiPlan
from centralized_ml_api.plan.usage.tokens import NO_TOKENS, Tokens
from centralized_ml_api.plan.usage.types import SpentTokens, UsageTable
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from centralized_ml_api.aws.stack.status import EndpointStatus
    from centralized_ml_api.plan.event import Spending, TeamPlan
    from centralized_ml_api.plan.types import ModelDeployment

_STATES = {
    "InService": "ready",
    "Updating": "ready",
    "SystemUpdating": "ready",
    "Creating": "starting",
    "RollingBack": "restarting",
    "asleep": "asleep",
    "waking": "waking",
}
"""The page's words for SageMaker's states; all others have failed."""

_SECONDS = {"minute": 60, "day": 24 * 60 * 60}
_POT_OWNER = "pot"


@record
class Spent:
    """What the table of spending has.

    Attributes:
        counted: What teams have spent, by team and model.
        grants: What teams have been granted, by what the tags of their keys name.
        used: What owners have used, by owner, span and unit.
    """

    counted: tuple[SpentTokens, ...] = ()
    grants: Mapping[str, Grant] = field(default_factory=dict)
    used: Mapping[tuple[str, str, str], int] = field(default_factory=dict)

    def add_up(self, *, team: Collection[str] | None = None, model: str | None = None) -> Tokens:
        """Returns what a team, by any of its names, or a model has spent; all where neither is named."""
        return sum(
            (
                spent.tokens
                for spent in self.counted
                if (team is None or spent.team in team) and model in {None, spent.model}
            ),
            NO_TOKENS,
        )


def read_spent(items: Iterable[Item]) -> Spent:
    """Reads the items of the table of spending."""
    listed = [*items]
    granted = [item for item in listed if item[PERIOD_KEY]["S"] == GRANTED_SPAN]
    return Spent(add_days(listed, None), read_grants(granted), _find_used(listed))


@record
class Known:
    """What the board is made of.

    Attributes:
        plan: Of the config.
        now: The instant.
        status: How the stack is; None where that could not be read.
        table: All calls so far; None before they were counted.
        pauses: What is paused; None where nothing can be.
        message: What is said to everybody; None where nothing can be.
        invitation: What teams need to join; None where nobody can.
        roster: The teams that joined by the names of their places.
        is_counted: Whether tokens and dollars are counted.
        keys: The keys of the teams, their values hidden.
        journal: What organizers did, the latest first.
        spent: What the table of spending has.
        forecast: How that has grown, by the names that `Spent.used` has.
    """

    plan: ApiPlan
    now: datetime
    status: StackStatus | None = None
    table: UsageTable | None = None
    pauses: Pauses | None = None
    message: Message | None = None
    invitation: Invitation | None = None
    roster: Mapping[str, str] = field(default_factory=dict)
    is_counted: bool = False
    keys: Sequence[TeamKeys] = ()
    journal: Sequence[Mapping[str, Any]] = ()
    spent: Spent = field(default_factory=Spent)
    forecast: Forecast = field(default_factory=Forecast)


def build_document(known: Known) -> dict[str, Any]:
    """Builds the document."""
    status, event, table = known.status, known.plan.event, known.table
    tokens = known.spent.add_up()
    pauses = known.pauses or Pauses()
    address = status.address if status else ""
    ends = render_instant(status.ends) if status and status.ends else ""
    return {
        "now": render_instant(known.now),
        "title": event.title or "Models",
        "event_ends": ends,
        "paused": pauses.models.get(EVERYTHING),
        "message": known.message.words if known.message else "",
        "message_at": render_instant(known.message.at) if known.message and known.message.at else "",
        "address": address,
        "urls": [address],
        "ends": ends,
        "starts": render_instant(event.starts) if event.starts and event.starts > known.now else "",
        "trouble": _word_trouble(status) if status else "",
        "authority": None,
        "models": [_describe_model(entry, known) for entry in known.plan.deployments],
        "teams": [_describe_team(team, owner, known) for owner, team in _list_teams(known)],
        "total": {
            "requests": table.requests if table else 0,
            "errors": table.errors if table else 0,
            "tokens": tokens.total,
            "usd": in_dollars(tokens.nanodollars),
        },
        "spending": None,
        "pot": _describe_limits(_POT_OWNER, event.pot, known),
        "join": describe_invitation(known.invitation) if known.invitation else None,
        "journal": [*known.journal],
        "acts": list_acts(known),
    }


def list_acts(known: Known) -> list[str]:
    """Returns what can be done with the stack."""
    acts = ["wake"]
    if known.pauses is not None:
        acts += ["pause", "resume", "new-key", "revoke"]
    if known.message is not None:
        acts.append("message")
    if known.is_counted:
        acts += ["grant", "take-back"]
    if known.invitation:
        acts += ["open-joining", "close-joining", "new-code"]
    if known.status and known.status.ends:
        acts.append("extend")
    return acts


def _word_trouble(status: StackStatus) -> str:
    said = [status.mail]
    if not status.is_end_whole:
        said.append("not all of it ends at the same time: extend the end")
    if status.keyless:
        said.append(f"secrets have no key: {', '.join(status.keyless)}")
    if not status.state.endswith("_COMPLETE") or "ROLLBACK" in status.state:
        said.append(f"CloudFormation says {status.state}")
    return "; ".join(filter(None, said))


def _list_teams(known: Known) -> list[tuple[str, TeamPlan]]:
    """Returns what the keys' tags name, and the team: those of the config, then those that joined."""
    event = known.plan.event
    teams = [(team.name, team) for team in event.teams]
    if event.join:
        there, place = {team.name for team in event.teams}, event.join.team
        teams += [
            (owner, replace(place, name=name)) for owner, name in known.roster.items() if name not in there
        ]
    return teams


def _describe_model(entry: ModelDeployment, known: Known) -> dict[str, Any]:
    endpoints = known.status.endpoints if known.status else ()
    endpoint = next((each for each in endpoints if each.entry == entry.name), None)
    rows = known.table.models if known.table else ()
    spent = known.spent.add_up(model=entry.name)
    state = "ready" if endpoint is None else _STATES.get(endpoint.state, "failed")
    return {
        "name": entry.name,
        "state": state,
        "detail": _word_endpoint(endpoint) if endpoint else "",
        "engine": "",
        "waiting": 0,
        "under_way": 0,
        "places": None,
        "sleeps": False,
        "can_restart": False,
        "paused": known.pauses.models.get(entry.name) if known.pauses else None,
        "ready_in": None,
        "ready_replicas": 0,
        "replicas": 0,
        "restarts": 0,
        "last_restart": "",
        "log": [],
        "requests_per_minute": None,
        "p95_milliseconds": None,
        **add_up(row for row in rows if row.model == entry.name),
        "tokens": spent.total,
        "usd": in_dollars(spent.nanodollars),
    }


def _word_endpoint(endpoint: EndpointStatus) -> str:
    """Returns what runs, and what is wrong with it."""
    instances = [f"{count} x {kind}" for count, kind in endpoint.instances if count]
    return "; ".join(filter(None, [", ".join(instances), endpoint.trouble]))


def _describe_team(team: TeamPlan, owner: str, known: Known) -> dict[str, Any]:
    key = next((key for key in known.keys if key.team == team.name), None)
    rows = known.table.rows if known.table else ()
    spent, grant = known.spent.add_up(team={owner, team.name}), known.spent.grants.get(owner, NOTHING)
    limits = _describe_limits(f"{TEAM_OWNER}{owner}", grant.raise_limits(team).spending, known)
    if team.requests_per_day is not None and known.table:
        today = known.now.date()
        asked = sum(day.requests for day in known.table.days if (day.team, day.day) == (team.name, today))
        limits.append(describe_limit("requests", "day", asked, team.requests_per_day, None))
    return {
        "name": team.name,
        "key": key.state if key else "revoked",
        "key_ending": key.ending if key else "",
        "limits": limits,
        "granted": None if grant == NOTHING else grant.to_json(),
        "paused": known.pauses.teams.get(owner) if known.pauses else None,
        "minutes": None,
        "requests_per_minute": None,
        "p95_milliseconds": None,
        **add_up(row for row in rows if row.team == team.name),
        "tokens": spent.total,
        "usd": in_dollars(spent.nanodollars),
    }


def _describe_limits(owner: str, spending: Spending, known: Known) -> list[dict[str, Any]]:
    described, now = [], known.now.timestamp()
    ends = known.status.ends.timestamp() if known.status and known.status.ends else inf
    for unit, period, most in spending.limits:
        seconds = _SECONDS.get(period)
        start = int(now // seconds * seconds) if seconds else 0
        limit = (owner, f"{period}#{start}" if seconds else period, unit)
        used, until = known.spent.used.get(limit, 0), min(ends, start + seconds if seconds else inf)
        left = (
            known.forecast.minutes_left(limit, used, most, now, until=until) if period != "minute" else None
        )
        described.append(describe_limit(unit, period, used, most, left))
    return described


def _find_used(items: Iterable[Item]) -> dict[tuple[str, str, str], int]:
    """Returns what owners have used of units, by owner, span and unit."""
    return {
        (item[OWNER_KEY]["S"], item[PERIOD_KEY]["S"], unit): read_count(item, f"used_{unit}")
        for item in items
        for unit in ("tokens", "nanodollars")
        if f"used_{unit}" in item
    }
