"""What the organizer's screen is made of, for as many teams and models as a test wants."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from centralized_ml_api.api.invitation import Invitation
from centralized_ml_api.api.keys import TeamKeys
from centralized_ml_api.local.admission.accounts import Account
from centralized_ml_api.local.board.document import Known, build_document
from centralized_ml_api.local.board.history import History, Point
from centralized_ml_api.local.status import EntryState, EntryStatus, LocalStatus, PartStatus, SleepStatus
from centralized_ml_api.local.usage.recent_errors import RecentError
from centralized_ml_api.organizer.journal import Deed
from centralized_ml_api.plan.event import EventPlan, Spending, TeamPlan
from centralized_ml_api.plan.usage.tokens import Tokens
from centralized_ml_api.plan.usage.types import HourUsage, Usage, UsageTable

NOW = datetime(2027, 3, 6, 12, 48, tzinfo=UTC)
DOLLAR = 10**9
STATES: tuple[EntryState, ...] = ("ready", "failed", "asleep", "waking")


def entry(name: str, state: EntryState = "ready", **more: Any) -> EntryStatus:
    """An entry with one server that has said a line."""
    part = PartStatus(name, state, "", int(state == "ready"), 1, 0, (), (f"{name} <b>says</b> this",))
    sleep = SleepStatus(1, 60.0, 65.0) if state in {"asleep", "waking"} else None
    return EntryStatus(name, f"/{name}", state, "", "llama.cpp", "api", (part,), sleep=sleep, **more)


def usage(team: str, model: str, *statuses: tuple[int, int], dollars: float = 0.0) -> Usage:
    """Calls of a team to a model; the last was a minute ago."""
    tokens = Tokens(read=600, written=400, nanodollars=int(dollars * DOLLAR))
    last = NOW - timedelta(minutes=1)
    return Usage(team, model, statuses, 100.0, 900.0, 10, 10, last - timedelta(hours=1), last, tokens)


def known(teams: int = 2, models: int = 2) -> Known:
    """An event in which each team has called each model three times, once in vain, for a cent."""
    names = [f"team-{number}" for number in range(teams)]
    entries = [entry(f"model-{number}", STATES[number % len(STATES)]) for number in range(models)]
    rows = [
        usage(name, served.name, (200, 2), (500, 1), dollars=0.01) for name in names for served in entries
    ]
    by_model = [
        replace(usage("-", served.name, (200, 2 * teams), (500, teams)), tokens=Tokens(read=1000 * teams))
        for served in entries
    ]
    history = History()
    history.points.extend(
        Point(NOW.timestamp() - 10 * ago, 2.0, 0.1, 50.0, 0, None if ago in range(90, 120) else 0.9)
        for ago in range(359, -1, -1)
    )
    hours = tuple(HourUsage(NOW - timedelta(hours=ago), 9, 0, 2 * DOLLAR) for ago in range(5, 0, -1))
    limited = Spending(nanodollars=5 * DOLLAR)
    return Known(
        status=LocalStatus(
            1,
            "c.json",
            ".mlapi",
            0.0,
            "https://127.0.0.1:8080",
            "",
            "",
            tuple(entries),
            (),
            ends=_in(hours=5),
            authority_fingerprint="AB:CD",
        ),
        urls=("https://192.168.1.20:8080",),
        event=EventPlan(
            teams=tuple(TeamPlan(name, None, None, None, spending=limited) for name in names),
            title="Spring <i>Hack</i> 2027",
            ends=NOW + timedelta(hours=5),
            pot=Spending(nanodollars=30 * DOLLAR),
        ),
        usage=UsageTable(None, tuple(rows), tuple(by_model), hours),
        used={Account(names[0], "nanodollars", "event", 0): int(4.8 * DOLLAR)} if names else {},
        keys=[TeamKeys(name, "active", "vXc1", ()) for name in names],
        history=history,
        errors=(
            RecentError("team-0", "model-1", 500, "", from_model=True, count=30, last=NOW.timestamp() - 60),
            RecentError("-", "-", 401, "", from_model=False, count=1, last=NOW.timestamp() - 120),
        ),
        now=NOW,
        invitation=Invitation("https://192.168.1.20:8080/join#code=HERON-42", "HERON-42", "", "", 40, 17),
        journal=(
            Deed("2027-03-06T12:40:00Z", "screen", "new key", "team-1"),
            Deed("2027-03-06T12:33:00Z", "command line", "restart", "model-1", "<b>no</b> memory"),
        ),
    )


def build_board(teams: int, models: int) -> dict[str, Any]:
    """The document of such an event."""
    return build_document(known(teams, models))


def _in(**time: float) -> str:
    return (NOW + timedelta(**time)).isoformat().replace("+00:00", "Z")
