"""Builds everything that the organizer's screen shows. Pure: every number is that of `status` or `usage`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, field
from datetime import datetime
from math import inf
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.error_shape import ERRORS
from centralized_ml_api.api.event_end import render_instant
from centralized_ml_api.api.http import AUTHORITY_PATH
from centralized_ml_api.api.invitation import Invitation
from centralized_ml_api.api.keys import TeamKeys
from centralized_ml_api.api.notices import SILENCE, Message
from centralized_ml_api.api.qr import draw_qr
from centralized_ml_api.local.admission.accounts import (
    SECONDS,
    Account,
    list_limits,
    open_account,
    start_period,
)
from centralized_ml_api.local.board.history import History
from centralized_ml_api.local.status import LocalStatus
from centralized_ml_api.local.usage.recent_errors import RecentError
from centralized_ml_api.organizer.board_shape import (
    REASONS,
    add_up,
    describe_invitation,
    describe_limit,
    describe_spending,
    in_dollars,
)
from centralized_ml_api.organizer.journal import Deed
from centralized_ml_api.plan.engines import ENGINES
from centralized_ml_api.plan.event import POT, EventPlan
from centralized_ml_api.plan.usage.types import NOBODY, Usage, UsageTable
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from centralized_ml_api.local.admission.accounts import Limit
    from centralized_ml_api.local.status import EntryStatus
    from centralized_ml_api.local.traffic.pace import Pace
    from centralized_ml_api.plan.event import Period, TeamPlan

SHOWN_ERRORS = 40
RECENT_SECONDS = 600.0

NOT_JOINED = {
    400: "Somebody could not join: the name is not allowed.",
    403: "Somebody could not join: the code was wrong, joining is closed, or all places are taken.",
    409: "Somebody could not join: the name is taken.",
    429: "Somebody could not join: too many wrong codes came from there.",
    503: "Somebody could not join: the key could not be kept.",
}
"""Why the desk where teams join refused calls, by their status."""


@record
class Known:
    """What the board is made of.

    Attributes:
        status: How the target is.
        urls: Where other machines call the API.
        event: The event.
        usage: All calls so far.
        used: What limits in tokens and dollars have used, by account.
        keys: The keys of the teams, their values hidden.
        history: The last hour.
        errors: The errors of the last minutes.
        now: The instant.
        used_today: Each team's calls of the UTC day, for daily quotas.
        paused: What is paused, by entry; that of everything without a name.
        paused_teams: What paused teams are told, by team.
        granted: What teams may use on top of their limits, by team and unit; without those that have nothing.
        message: What is said to everybody.
        invitation: What teams need to join; None where there are no places.
        journal: What organizers did, the latest first.
    """

    status: LocalStatus
    urls: tuple[str, ...]
    event: EventPlan
    history: History
    now: datetime
    usage: UsageTable = field(default_factory=lambda: UsageTable(None, (), (), ()))
    used: Mapping[Account, int] = field(default_factory=dict)
    keys: Sequence[TeamKeys] = ()
    errors: Sequence[RecentError] = ()
    used_today: Mapping[str, int] = field(default_factory=dict)
    paused: Mapping[str, str] = field(default_factory=dict)
    paused_teams: Mapping[str, str] = field(default_factory=dict)
    granted: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    message: Message = SILENCE
    invitation: Invitation | None = None
    journal: Sequence[Deed] = ()


def build_document(known: Known) -> dict[str, Any]:
    """Builds the document. Pure."""
    status = known.status
    return {
        "now": render_instant(known.now),
        "title": known.event.title or "Models",
        "event_ends": render_instant(known.event.ends) if known.event.ends else "",
        "paused": known.paused.get(""),
        "message": known.message.words,
        "message_at": render_instant(known.message.at) if known.message.at else "",
        "address": status.address,
        "urls": list(known.urls),
        "ends": status.ends,
        "starts": status.starts,
        "trouble": status.gateway_trouble or (status.unapplied.sentence if status.unapplied else ""),
        "authority": _describe_authority(known),
        "models": _describe_models(known),
        "teams": _describe_teams(known),
        "total": {
            "requests": known.usage.requests,
            "errors": known.usage.errors,
            "tokens": known.usage.tokens.total,
            "usd": in_dollars(known.usage.tokens.nanodollars),
        },
        "pot": _describe_limits(list_limits(POT, known.event.pot), known),
        "spending": _describe_spending(known),
        "history": [point.to_json() for point in known.history.points],
        "errors": [_describe_error(error) for error in known.errors[:SHOWN_ERRORS]],
        "join": describe_invitation(known.invitation) if known.invitation else None,
        "journal": [asdict(deed) for deed in known.journal],
    }


def _describe_spending(known: Known) -> dict[str, Any] | None:
    firsts = (row.first for row in known.usage.models if row.tokens.nanodollars)
    return describe_spending(known.usage.hours, known.now, known.event.ends, min(firsts, default=None))


def _describe_authority(known: Known) -> dict[str, Any] | None:
    """Returns whom callers must trust, with the QR code by which a phone gets the certificate."""
    fingerprint = known.status.authority_fingerprint
    if not fingerprint:
        return None
    address = next(iter(known.urls), known.status.address)
    link = f"{address.replace('https:', 'http:', 1)}{AUTHORITY_PATH}"
    return {"fingerprint": fingerprint, "link": link, "qr": asdict(draw_qr(link))}


def _describe_models(known: Known) -> list[dict[str, Any]]:
    """Describes each entry; goes through the calls once, since there may be thousands of entries."""
    rows = defaultdict[str, list[Usage]](list)
    for row in known.usage.models:
        rows[row.model].append(row)
    return [_describe_model(entry, known, rows.get(entry.name, ())) for entry in known.status.entries]


def _describe_model(entry: EntryStatus, known: Known, rows: Iterable[Usage]) -> dict[str, Any]:
    sleep = entry.sleep
    return {
        "name": entry.name,
        "state": entry.state,
        "detail": entry.detail,
        "engine": entry.engine,
        "waiting": entry.waiting,
        "under_way": entry.under_way if entry.places else known.history.in_flight.get(entry.name, 0),
        "places": entry.places,
        "sleeps": sleep is not None,
        "can_restart": _can_restart(entry),
        "paused": known.paused.get(entry.name),
        "ready_in": sleep.ready_in if sleep else None,
        "ready_replicas": sum(part.ready_replicas for part in entry.parts),
        "replicas": sum(part.replicas for part in entry.parts),
        "restarts": sum(part.restarts for part in entry.parts),
        "last_restart": next((part.last_restart for part in entry.parts if part.last_restart), ""),
        "log": [line for part in entry.parts for line in part.log],
        **_describe_pace(known.history.models.get(entry.name)),
        **add_up(rows),
    }


def _can_restart(entry: EntryStatus) -> bool:
    """Returns whether something of the entry runs on this machine now, as far as its state tells."""
    is_here = entry.integration == "lambda" or (entry.engine in ENGINES and ENGINES[entry.engine].runs_here)
    return is_here and entry.state not in {"asleep", "not served"}


def _describe_teams(known: Known) -> list[dict[str, Any]]:
    """Describes each team; goes through keys and calls once, since there may be thousands of teams."""
    keys, rows = {key.team: key for key in known.keys}, defaultdict[str, list[Usage]](list)
    for row in known.usage.rows:
        rows[row.team].append(row)
    return [
        _describe_team(team, known, keys.get(team.name), rows.get(team.name, ()))
        for team in known.event.teams
    ]


def _describe_team(
    team: TeamPlan, known: Known, key: TeamKeys | None, rows: Iterable[Usage]
) -> dict[str, Any]:
    limits = _describe_limits(list_limits(team.name, team.spending), known)
    if team.requests_per_day is not None:
        used, most = known.used_today.get(team.name, 0), team.requests_per_day
        today: tuple[str, str, Period, int] = (
            team.name,
            "requests",
            "day",
            start_period("day", known.now.timestamp()),
        )
        limits.append(describe_limit("requests", "day", used, most, _minutes_left(today, used, most, known)))
    return {
        "name": team.name,
        "key": key.state if key else "revoked",
        "key_ending": key.ending if key else "",
        "limits": limits,
        "granted": known.granted.get(team.name),
        "paused": known.paused_teams.get(team.name),
        "minutes": known.history.list_minutes(team.name, known.now.timestamp()),
        **_describe_pace(known.history.teams.get(team.name)),
        **add_up(rows),
    }


def _describe_pace(pace: Pace | None) -> dict[str, Any]:
    return {
        "requests_per_minute": round(pace.requests_per_second * 60, 1) if pace else 0.0,
        "p95_milliseconds": pace.p95_milliseconds if pace else None,
    }


def _describe_limits(limits: Iterable[Limit], known: Known) -> list[dict[str, Any]]:
    described, now = [], known.now.timestamp()
    for limit in limits:
        account = open_account(limit, now)
        used = known.used.get(account, 0)
        left = _minutes_left(account, used, limit.most, known)
        described.append(describe_limit(limit.unit, limit.period, used, limit.most, left))
    return described


def _minutes_left(
    account: tuple[str, str, Period, int], used: float, most: float, known: Known
) -> int | None:
    """Returns in how many minutes a limit is used up, if that is soon and before it begins anew."""
    *_, period, start = account
    if period == "minute":
        return None
    ends = known.event.ends.timestamp() if known.event.ends else inf
    until = min(ends, start + SECONDS[period] if period in SECONDS else inf)
    return known.history.forecast.minutes_left(account, used, most, known.now.timestamp(), until=until)


def _describe_error(error: RecentError) -> dict[str, Any]:
    return {
        "team": "" if error.team == NOBODY else error.team,
        "model": "" if error.model == NOBODY else error.model,
        "status": error.status,
        "reason": word_reason(error),
        "count": error.count,
        "last": error.last,
    }


def word_reason(error: RecentError) -> str:
    """Returns why calls failed, as a sentence."""
    if error.code in ERRORS:
        return ERRORS[error.code].message
    if error.from_model and error.model == NOBODY:
        by_whom = NOT_JOINED if error.team == NOBODY else {}  # a team that asks for its jobs is known
        return by_whom.get(error.status, f"The API answered {error.status}.")
    if error.from_model:
        return f"The model's server answered {error.status}."
    return REASONS.get(error.status, f"The gateway answered {error.status}.")
