"""The organizer's screen gathers what it shows from the target and from real files of the state folder."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.api.keys import new_key
from centralized_ml_api.api.notices import Message
from centralized_ml_api.local.admission.account_book import ACCOUNTS_NAME, AccountBook, Batch
from centralized_ml_api.local.admission.accounts import Account, Charge
from centralized_ml_api.local.board.history import LOOK_SECONDS
from centralized_ml_api.local.keys import KeyStore
from centralized_ml_api.local.keys.record import TeamRecord
from centralized_ml_api.local.machine.clock import Clock
from centralized_ml_api.local.run.board import Board
from centralized_ml_api.local.run.grants import Grants
from centralized_ml_api.local.run.notices import Notices
from centralized_ml_api.local.status import LocalStatus
from centralized_ml_api.local.traffic.types import Counted, Requests, Traffic
from centralized_ml_api.local.usage.collector import UsageCollector
from centralized_ml_api.organizer.grant import Grant
from centralized_ml_api.organizer.journal import Journal
from centralized_ml_api.plan.event import EventPlan, JoinPlan, Spending, TeamPlan
from support.access_log import append, line
from support.fake_target import NOON, entry, plan

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from centralized_ml_api.plan.types import ApiPlan

RED = TeamPlan("red", None, 9, None, spending=Spending(nanodollars=10**9))
OWLS = TeamPlan("Owls", None, None, None)
KEY = new_key()
STATUS = LocalStatus(1, "c.json", ".mlapi", 0.0, "http://127.0.0.1:8080", "", "", (), ())


class Target:
    """A target that serves two models to the team `red` and to one that has joined."""

    def __init__(self) -> None:
        self.event = EventPlan(teams=(RED,))
        self.status = STATUS
        self.notices = Notices()
        self.grants = Grants()
        self.acts: list[tuple[str, Mapping[str, Any], str]] = []
        self.requests = 0

    @property
    def plan(self) -> ApiPlan:
        return plan(entry("a"), entry("b"), event=replace(self.event, teams=(*self.event.teams, OWLS)))

    async def look(self) -> LocalStatus:
        return self.status

    async def traffic(self) -> Traffic:
        self.requests += 20
        counted = Counted((Requests("a", "red", 200, self.requests),), (), {})
        return Traffic(float(self.requests), counted)

    async def act(self, act: str, wanted: Mapping[str, Any], by: str) -> dict[str, Any]:
        self.acts.append((act, wanted, by))
        return {"key": "new"}


class World:
    """A board over a state folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.target = Target()
        self.board = Board(self.target, folder, Clock(lambda: NOON, self.sleep))
        self.slept: list[float] = []
        self.looks = 3

    async def sleep(self, seconds: float) -> None:
        """Ends the history after some looks."""
        self.slept.append(seconds)
        if len(self.slept) == self.looks:
            raise asyncio.CancelledError

    def build(self) -> dict[str, Any]:
        return asyncio.run(asyncio.wait_for(self.board.build(), 60))

    def team(self, name: str = "red") -> dict[str, Any]:
        (team,) = (team for team in self.build()["teams"] if team["name"] == name)
        return dict(team)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_without_a_call_there_is_nothing_but_the_event(world: World) -> None:
    shown = world.build()
    assert [team["name"] for team in shown["teams"]] == ["red", "Owls"], "those that have joined, too"
    assert shown["total"] == {"requests": 0, "errors": 0, "tokens": 0, "usd": 0.0}
    assert (shown["history"], shown["errors"], shown["journal"], shown["join"]) == ([], [], [], None)
    assert shown["now"] == "2030-06-01T12:00:00Z"
    assert not (world.folder / ACCOUNTS_NAME).exists(), "looking makes no accounts"


def test_calls_and_their_errors_are_those_of_the_access_log(world: World) -> None:
    log = UsageCollector.of_state(world.folder).log
    old, late = NOON - timedelta(days=1), NOON - timedelta(seconds=5)
    append(log, line("red", "a", at=old), line("red", "a", at=late), line("red", "a", 503, at=late))
    append(log, line("red", "a", 502, at=NOON - timedelta(minutes=11)))
    shown, team = world.build(), world.team()
    assert (shown["total"]["requests"], shown["total"]["errors"]) == (4, 2)
    assert [(error["team"], error["status"]) for error in shown["errors"]] == [("red", 503)], "of ten minutes"
    today = {"unit": "requests", "period": "day", "used": 3, "most": 9, "minutes_left": None}
    assert team["limits"][-1] == today


def test_what_is_used_is_that_of_the_accounts(world: World) -> None:
    book = AccountBook(world.folder / ACCOUNTS_NAME)
    account = Account("red", "nanodollars", "event", 0)
    book.write(Batch(charges=[Charge(account, 250_000_000)]))
    book.close()
    spent = {"unit": "usd", "period": "event", "used": 0.25, "most": 1.0, "minutes_left": None}
    assert world.team()["limits"][0] == spent
    assert world.team()["limits"][0]["used"] == 0.25, "the second look reads the file again"


def test_accounts_that_are_damaged_hide_nothing_else(world: World) -> None:
    (world.folder / ACCOUNTS_NAME).write_bytes(b"this is no database" * 100)
    log = UsageCollector.of_state(world.folder).log
    append(log, line("red", "a", at=NOON))
    shown = world.build()
    assert shown["total"]["requests"] == 1
    assert shown["teams"][0]["limits"][0]["used"] == 0.0


def test_keys_are_hidden_but_for_their_ends(world: World) -> None:
    assert world.team()["key"] == "revoked"
    KeyStore(world.folder).change(lambda records: (*records, TeamRecord("red", KEY)))
    team = world.team()
    assert (team["key"], KEY.endswith(team["key_ending"])) == ("active", True)
    assert 0 < len(team["key_ending"]) < 9
    assert KEY not in str(world.build())


def test_files_that_cannot_be_read_hide_only_what_is_in_them(world: World) -> None:
    (world.folder / "keys.json").write_text("damaged")
    (world.folder / "journal.jsonl").mkdir()
    append(UsageCollector.of_state(world.folder).log, line("red", "a", at=NOON))
    shown = world.build()
    assert (shown["teams"][0]["key"], shown["journal"]) == ("revoked", [])
    assert shown["total"]["requests"] == 1


def test_the_journal_shows_the_latest_deeds(world: World) -> None:
    journal = Journal(world.folder, "screen", lambda: NOON)
    for number in range(50):
        journal.note("wake", f"m{number}")
    shown = world.build()["journal"]
    assert [deed["subject"] for deed in shown] == [f"m{49 - number}" for number in range(40)]


def test_teams_join_by_a_link_to_this_machine(world: World) -> None:
    world.target.event = EventPlan(
        teams=(RED,), join=JoinPlan(40, TeamPlan("", None, None, None), "HERON-42")
    )
    joined = TeamRecord("Owls", KEY, joined=True)
    KeyStore(world.folder).change(lambda records: (*records, joined))
    join = world.build()["join"]
    assert join["link"] == "http://127.0.0.1:8080/join#code=HERON-42"
    assert (join["closed"], join["places"], join["taken"]) == ("", 40, 1)


def test_other_machines_are_told_the_address_that_they_reach(world: World) -> None:
    assert world.build()["urls"] == [], "it listens to this machine alone"
    world.target.status = replace(STATUS, host="0.0.0.0", address="https://api.example.org")
    assert world.build()["urls"] == ["https://api.example.org"]
    world.target.event = EventPlan(join=JoinPlan(40, TeamPlan("", None, None, None), "HERON-42"))
    assert world.build()["join"]["link"].startswith("https://api.example.org/join#")
    world.target.status = replace(STATUS, host="0.0.0.0", address="")
    assert world.build()["urls"] == [], "the gateway does not listen yet"


def test_what_is_paused_and_said_to_all_is_shown(world: World) -> None:
    world.target.notices.pause(None, "lunch")
    assert world.build()["message_at"] == ""
    world.target.notices.message = Message("pizza is here", NOON)
    shown = world.build()
    assert (shown["paused"], shown["message"]) == ("lunch", "pizza is here")
    assert shown["message_at"] == NOON.isoformat().replace("+00:00", "Z")


def test_the_history_has_the_pace_of_every_model_and_team(world: World) -> None:
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(world.board.run())
    assert world.slept == [LOOK_SECONDS] * 3
    shown = world.build()
    assert [point["requests"] for point in shown["history"]] == [1.0, 1.0], "20 calls in 20 seconds"
    assert [team["requests_per_minute"] for team in shown["teams"]] == [60.0, 0.0]


def test_who_acts_here_acts_on_the_screen(world: World) -> None:
    told = asyncio.run(world.board.act("new-key", {"team": "red"}))
    assert told == {"key": "new"}
    assert world.target.acts == [("new-key", {"team": "red"}, "screen")]


def test_a_team_that_is_paused_or_was_granted_more_is_shown_so(world: World) -> None:
    assert (world.team()["paused"], world.team()["granted"]) == (None, None)
    world.target.notices.pause(None, "wait", team="red")
    world.target.grants.replace("red", Grant(requests=3))
    assert (world.team()["paused"], world.team()["granted"]) == (
        "wait",
        {"usd": 0.0, "tokens": 0, "requests": 3},
    )
    assert world.build()["paused"] is None
