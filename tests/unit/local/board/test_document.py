from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.api.error_shape import ERRORS
from centralized_ml_api.api.keys import TeamKeys
from centralized_ml_api.local.admission.accounts import Account
from centralized_ml_api.local.board.document import SHOWN_ERRORS, build_document, word_reason
from centralized_ml_api.local.status import Unapplied
from centralized_ml_api.local.traffic.pace import Pace
from centralized_ml_api.local.usage.recent_errors import RecentError
from centralized_ml_api.plan.event import EventPlan, Spending, TeamPlan
from centralized_ml_api.plan.usage.types import HourUsage, Usage, UsageTable
from support.board import DOLLAR, NOW, build_board, known, usage

if TYPE_CHECKING:
    from collections.abc import Iterator


HOUR = timedelta(hours=1)


def test_a_team_is_what_it_has_called_and_what_it_may_use() -> None:
    first, second = build_board(2, 2)["teams"]
    assert first == {
        "name": "team-0",
        "key": "active",
        "key_ending": "vXc1",
        "limits": [{"unit": "usd", "period": "event", "used": 4.8, "most": 5.0, "minutes_left": None}],
        "granted": None,
        "paused": None,
        "minutes": [0] * 60,
        "requests_per_minute": 0.0,
        "p95_milliseconds": None,
        "requests": 6,
        "errors": 2,
        "tokens": 2000,
        "usd": 0.02,
        "last": "2027-03-06T12:47:00Z",
    }
    assert second["limits"][0]["used"] == 0.0


class Rows(tuple[Usage, ...]):
    """Rows, and how often somebody went through them."""

    __slots__ = ()
    passes = 0

    def __iter__(self) -> Iterator[Usage]:
        Rows.passes += 1
        return super().__iter__()


def test_the_calls_of_many_teams_are_gone_through_as_often_as_those_of_few() -> None:
    passes = []
    for teams in (2, 40):
        told = known(teams)
        told = replace(told, usage=UsageTable(None, Rows(told.usage.rows), (), ()))
        Rows.passes = 0
        shown = build_document(told)["teams"]
        assert [team["requests"] for team in shown] == [6] * teams
        passes.append(Rows.passes)
    assert passes[0] == passes[1] > 0


def test_the_calls_of_many_models_are_gone_through_as_often_as_those_of_few() -> None:
    passes = []
    for models in (2, 40):
        told = known(1, models)
        told = replace(told, usage=UsageTable(None, (), Rows(told.usage.models), ()))
        Rows.passes = 0
        shown = build_document(told)["models"]
        assert [model["requests"] for model in shown] == [3] * models
        passes.append(Rows.passes)
    assert passes[0] == passes[1] > 0


def test_a_team_that_never_called_is_there_too() -> None:
    told = replace(known(), event=EventPlan(teams=(TeamPlan("late", None, None, None),)))
    (late,) = build_document(told)["teams"]
    assert (late["requests"], late["last"], late["limits"], late["key"]) == (0, None, [], "revoked")


def test_limits_are_those_of_the_present_day_and_minute() -> None:
    day, minute = 24 * 60 * 60, 60
    now = int(NOW.timestamp())
    spending = Spending(tokens_per_minute=1000, nanodollars_per_day=2 * DOLLAR)
    told = replace(
        known(),
        event=EventPlan(teams=(TeamPlan("red", None, 50, None, spending=spending),), pot=Spending(tokens=10)),
        used={
            Account("red", "tokens", "minute", now // minute * minute): 900,
            Account("red", "tokens", "minute", now // minute * minute - minute): 77,
            Account("red", "nanodollars", "day", now // day * day): DOLLAR,
            Account("", "tokens", "event", 0): 3,
        },
        used_today={"red": 40},
        keys=[TeamKeys("red", "revoked", "", ())],
    )
    document = build_document(told)
    assert document["teams"][0]["limits"] == [
        {"unit": "tokens", "period": "minute", "used": 900, "most": 1000, "minutes_left": None},
        {"unit": "usd", "period": "day", "used": 1.0, "most": 2.0, "minutes_left": None},
        {"unit": "requests", "period": "day", "used": 40, "most": 50, "minutes_left": None},
    ]
    pot = {"unit": "tokens", "period": "event", "used": 3, "most": 10, "minutes_left": None}
    assert document["pot"] == [pot]


def test_a_limit_says_when_it_is_used_up_at_the_present_pace() -> None:
    now, day = NOW.timestamp(), 24 * 60 * 60
    today, this_minute = int(now // day * day), int(now // 60 * 60)
    spending = Spending(tokens_per_minute=1000, tokens_per_day=1000, nanodollars=10 * DOLLAR)
    used = {
        Account("red", "tokens", "minute", this_minute): 900,
        Account("red", "tokens", "day", today): 700,
        Account("red", "nanodollars", "event", 0): 9 * DOLLAR,
    }
    asked = ("red", "requests", "day", today)
    told = replace(
        known(),
        event=EventPlan(teams=(TeamPlan("red", None, 50, None, spending=spending),), ends=NOW + HOUR),
        used=used,
        used_today={"red": 40},
    )
    ago = {Account("red", "tokens", "day", today): 600, Account("red", "nanodollars", "event", 0): 8 * DOLLAR}
    told.history.forecast.note({**ago, asked: 39}, now - 120)
    limits = build_document(told)["teams"][0]["limits"]
    left = {(limit["unit"], limit["period"]): limit["minutes_left"] for limit in limits}
    of_team = {("tokens", "day"): 6, ("usd", "event"): 2, ("requests", "day"): 20}
    assert left == {("tokens", "minute"): None, **of_team}, "of a minute nobody is told"
    early = replace(told, event=replace(told.event, ends=NOW + HOUR / 12))
    limits = build_document(early)["teams"][0]["limits"]
    assert [limit["minutes_left"] for limit in limits] == [None, None, 2, None], "the event ends before"
    night = NOW.replace(hour=23, minute=57)
    told.history.forecast.note({**ago, asked: 39}, night.timestamp() - 120)
    used = {account: number for account, number in used.items() if account.period != "minute"}
    late = replace(told, now=night, used=used, event=replace(told.event, ends=None))
    limits = build_document(late)["teams"][0]["limits"]
    assert [limit["minutes_left"] for limit in limits] == [None, None, 2, None], "the day ends before"


def test_a_model_says_how_many_of_its_places_are_busy() -> None:
    told = known()
    busy = replace(told.status.entries[0], under_way=5, places=8)
    told = replace(told, status=replace(told.status, entries=(busy, told.status.entries[1])))
    told.history.in_flight = {"model-0": 3, "model-1": 2}
    shown = [(model["under_way"], model["places"]) for model in build_document(told)["models"]]
    assert shown == [(5, 8), (2, None)], "where nobody takes turns, the gateway knows what is under way"


def test_a_model_has_its_state_its_pace_and_its_last_lines() -> None:
    told = known()
    told.history.models["model-0"] = Pace(0.5, 0, 0, 80.0, 900.0)
    first, second = build_document(told)["models"]
    assert (first["state"], first["ready_replicas"], first["replicas"]) == ("ready", 1, 1)
    assert (first["requests_per_minute"], first["p95_milliseconds"], first["requests"]) == (30.0, 900.0, 6)
    assert (second["state"], second["log"]) == ("failed", ["model-1 <b>says</b> this"])
    assert (first["sleeps"], first["ready_in"]) == (False, None)
    asleep = build_board(2, 3)["models"][2]
    assert (asleep["sleeps"], asleep["ready_in"]) == (True, 65.0)


def test_the_total_is_that_of_mlapi_usage() -> None:
    assert build_board(3, 2)["total"] == {"requests": 18, "errors": 6, "tokens": 6000, "usd": 0.06}


def test_what_was_spent_is_a_line_that_ends_now() -> None:
    told = known()
    hours = (HourUsage(NOW - timedelta(hours=5), 5, 0, 3 * DOLLAR),)
    spending = build_document(replace(told, usage=replace(told.usage, hours=hours)))["spending"]
    assert [point["usd"] for point in spending["points"]] == [0.0, 3.0, 3.0]
    assert spending["points"][-1]["at"] == NOW.timestamp()
    assert spending["expected"] == {"at": (NOW + timedelta(hours=5)).timestamp(), "usd": 6.0}
    unpaid = replace(told.usage, hours=())
    assert build_document(replace(told, usage=unpaid))["spending"] is None


def test_the_line_of_what_is_spent_begins_with_the_first_call_that_cost_something() -> None:
    told = known()
    free, paid = usage("-", "model-0", (200, 1)), usage("-", "model-1", (200, 1), dollars=3)
    hours = (HourUsage(NOW.replace(hour=11, minute=0), 1, 0, 3 * DOLLAR),)
    earlier = replace(free, first=free.first - timedelta(minutes=20))
    spent = replace(told.usage, hours=hours, models=(earlier, paid))
    spending = build_document(replace(told, usage=spent))["spending"]
    assert spending["points"][0] == {"at": paid.first.timestamp(), "usd": 0.0}


def test_what_troubles_the_gateway_is_said() -> None:
    told = known()
    assert build_document(told)["trouble"] == ""
    unapplied = Unapplied(0.0, "it is broken")
    saved = replace(told, status=replace(told.status, unapplied=unapplied))
    assert build_document(saved)["trouble"] == unapplied.sentence
    down = replace(told, status=replace(told.status, gateway_trouble="it ended"))
    assert build_document(down)["trouble"] == "it ended"


@pytest.mark.parametrize(
    ("status", "code", "from_model", "reason"),
    [
        (429, "budget_exceeded", False, ERRORS["budget_exceeded"].message),
        (500, "", True, "The model's server answered 500."),
        (401, "", False, "The request had no valid key."),
        (0, "", False, "The caller hung up before the answer came."),
        (418, "no such code", False, "The gateway answered 418."),
    ],
)
def test_every_error_has_a_reason(status: int, code: str, reason: str, *, from_model: bool) -> None:
    assert word_reason(RecentError("red", "chat", status, code, from_model, 1, 0.0)) == reason


def test_who_cannot_join_was_refused_by_no_model() -> None:
    def reason(team: str, status: int) -> str:
        return word_reason(RecentError(team, "-", status, "", from_model=True, count=1, last=0.0))

    wrong = "Somebody could not join: the code was wrong, joining is closed, or all places are taken."
    assert reason("-", 403) == wrong
    assert reason("-", 409) == "Somebody could not join: the name is taken."
    assert reason("-", 418) == "The API answered 418."
    assert reason("red", 409) == "The API answered 409.", "a team that asks for its jobs"


def test_errors_name_whom_and_what_they_concern() -> None:
    errors = build_board(2, 2)["errors"]
    assert [(error["team"], error["model"], error["count"]) for error in errors] == [
        ("team-0", "model-1", 30),
        ("", "", 1),
    ]
    many = replace(known(), errors=[known().errors[0]] * (SHOWN_ERRORS + 1))
    assert len(build_document(many)["errors"]) == SHOWN_ERRORS


def test_sixty_teams_and_twenty_models_are_a_small_document_without_a_key() -> None:
    text = json.dumps(build_board(60, 20))
    assert len(text) < 100_000
    assert "mlapi_" not in text


def test_an_own_authority_is_shown_with_where_a_phone_gets_it() -> None:
    shown = build_board(1, 1)["authority"]
    assert (shown["fingerprint"], shown["link"]) == ("AB:CD", "http://192.168.1.20:8080/ca.pem")
    assert shown["qr"]["path"].startswith("M")
    told = known()
    plain = replace(told, status=replace(told.status, authority_fingerprint=""))
    assert build_document(plain)["authority"] is None
