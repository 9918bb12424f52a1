"""The organizer's screen of a deployed stack: what it shows, how rarely it asks, what it does and notes."""

from __future__ import annotations

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.aws.cdk.target import AwsTarget
from centralized_ml_api.aws.clients import AwsClients
from centralized_ml_api.aws.event.pauses import hash_key
from centralized_ml_api.aws.organizer.board import SECONDS, AwsBoard
from centralized_ml_api.aws.stack.contract import MESSAGE_VARIABLE, PAUSED_VARIABLE
from support.aws_wire import refusal, xml_refusal
from support.organized_config import CONFIG
from support.organized_stack import FUNCTION, KEYS, REGION, STACK, STREAMER, OrganizedStack

if TYPE_CHECKING:
    from pathlib import Path

    from support.aws_wire import Answer, AwsWire

DOLLAR = 10**9


class Screen:
    """The screen of a stack, at a time of its own."""

    def __init__(self, aws: AwsWire, folder: Path) -> None:
        (folder / "models.json").write_text(json.dumps(CONFIG))
        self.stack, self.now = OrganizedStack(aws), datetime(2030, 6, 1, 12, tzinfo=UTC)
        self.stack.answer()
        target = AwsTarget(folder / "models.json", STACK, REGION, folder / ".mlapi")
        self._board = AwsBoard(target, AwsClients(REGION), lambda: self.now)

    def show(self) -> dict[str, Any]:
        """What the page gets."""
        return asyncio.run(self._board.build())

    def team(self, name: str) -> dict[str, Any]:
        """A team, as the page gets it."""
        found: dict[str, Any] = next(team for team in self.show()["teams"] if team["name"] == name)
        return found

    def act(self, act: str, **wanted: Any) -> dict[str, Any]:
        """Does something."""
        return asyncio.run(self._board.act(act, wanted))


@pytest.fixture
def screen(aws: AwsWire, tmp_path: Path) -> Screen:
    return Screen(aws, tmp_path)


def spend(screen: Screen, holder: str, span: str, **numbers: int) -> None:
    """Notes what was spent, as the function that streams does."""
    screen.stack.documents.items[holder, span] = {
        "holder": {"S": holder},
        "span": {"S": span},
        **{name: {"N": str(number)} for name, number in numbers.items()},
    }


def test_it_shows_what_aws_knows(screen: Screen) -> None:
    noon = int(screen.now.timestamp())
    spend(screen, "team#red", "event", used_nanodollars=DOLLAR, used_tokens=70)
    spend(screen, "team#red", f"minute#{noon}", used_tokens=40)
    spend(screen, "team#red", "counted#2030-06-01#chat", call_count=1, tokens_in=50, nanodollars=DOLLAR)
    spend(screen, "team#place:1", f"day#{noon - noon % 86400}", used_tokens=300)
    call = {"team": "red", "model": "/chat", "first": "1000", "last": "2000", "bytes_out": "5"}
    screen.stack.rows["calls"] = [{**call, "status": "200", "requests": "7"}]
    screen.stack.rows[""] = [
        {"team": "red", "model": "/chat", "p50": "5", "p95": "9", "hour": "0", "requests": "7"}
    ]
    limited = {"team": "red", "model": "/chat", "status": "429", "error": "THROTTLED"}
    screen.stack.rows["errors"] = [{**limited, "requests": "3", "last": "5000"}]
    shown = screen.show()
    assert (shown["title"], shown["trouble"]) == ("Spring <i>Hack</i>", "")
    assert shown["urls"] == ["https://api.example/prod/"]
    assert [team["name"] for team in shown["teams"]] == ["red", "blue", "Owls"]
    red, blue, owls = shown["teams"]
    assert red["limits"] == [
        {"unit": "tokens", "period": "minute", "used": 40, "most": 100, "minutes_left": None},
        {"unit": "usd", "period": "event", "used": 1.0, "most": 2.0, "minutes_left": None},
    ]
    assert (red["requests"], red["tokens"], red["usd"], red["key"]) == (7, 50, 1.0, "active")
    assert (blue["limits"], blue["last"], blue["paused"]) == ([], None, None)
    day = {"unit": "tokens", "period": "day", "used": 300, "most": 1000, "minutes_left": None}
    assert owls["limits"] == [day]
    assert (shown["total"]["requests"], shown["total"]["usd"]) == (7, 1.0)
    assert [(model["name"], model["state"], model["requests"]) for model in shown["models"]] == [
        ("chat", "ready", 7)
    ]
    assert [(error["team"], error["count"]) for error in shown["errors"]] == [("red", 3)]
    assert len(shown["history"]) == 60
    assert shown["spending"] is None
    assert shown["history"][-1]["requests"] == 2.0
    assert (shown["join"]["code"], shown["join"]["taken"], shown["join"]["places"]) == ("the-code", 1, 3)


def test_what_cannot_be_done_is_no_act(screen: Screen) -> None:
    """The stack has no schedule that ends it; sleep and a restart are not known on AWS at all."""
    acts = screen.show()["acts"]
    assert {"pause", "resume", "message", "grant", "new-key", "close-joining", "wake"} <= {*acts}
    assert not {"extend", "restart", "sleep", "logs"} & {*acts}
    told = screen.act("restart", name="chat")
    assert (told["failed"], "there is no act restart" in told["error"]) == (False, True)


def test_it_says_when_a_limit_is_used_up_at_the_pace_since_one_looks(screen: Screen) -> None:
    spend(screen, "team#red", "event", used_nanodollars=DOLLAR)
    screen.show()
    screen.now += timedelta(minutes=2)
    spend(screen, "team#red", "event", used_nanodollars=DOLLAR * 6 // 5)
    assert [limit["minutes_left"] for limit in screen.team("red")["limits"]] == [None, 8]


def test_a_message_to_all_is_shown_and_taken_away(screen: Screen) -> None:
    assert screen.show()["message"] == ""
    assert screen.act("message", words="Lunch") == {"before": ""}
    told = {"words": "Lunch", "at": "2030-06-01T12:00:00Z"}
    assert screen.stack.message == told
    shown = screen.show()
    assert (shown["message"], shown["message_at"]) == (told["words"], told["at"])
    assert screen.act("message", words="") == {"before": "Lunch"}
    assert [deed["act"] for deed in screen.show()["journal"]] == ["no message", "message"]


def test_a_stack_from_before_there_were_messages_has_no_such_act(screen: Screen) -> None:
    del screen.stack.streamer.variables[MESSAGE_VARIABLE]
    shown = screen.show()
    assert (shown["message"], "message" in shown["acts"], shown["trouble"]) == ("", False, "")


def test_who_may_not_look_at_the_function_that_streams_misses_nothing_but_the_message(screen: Screen) -> None:
    path = f"/2015-03-31/functions/{STREAMER}/configuration"
    screen.stack.wire.spoken[f"lambda.GET {path}"] = lambda _: refusal(
        "AccessDeniedException", "not yours", 403
    )
    shown = screen.show()
    assert ("pause" in shown["acts"], "message" in shown["acts"], bool(shown["join"])) == (True, False, True)
    assert "not yours" in shown["trouble"]


def test_a_new_key_of_a_paused_team_is_paused_too(screen: Screen) -> None:
    screen.act("pause", team="red", words="Ask us")
    key = screen.act("new-key", team="red")["key"]
    assert key == screen.stack.keys["red"] != KEYS["red"]
    assert screen.stack.paused["keys"][hash_key(key)] == "red"
    assert screen.show()["journal"][0]["act"] == "new key"


def test_no_key_is_made_that_the_pause_cannot_cover(screen: Screen) -> None:
    screen.act("pause", team="red", words="Ask us")
    denied = refusal("AccessDeniedException", "not yours", 403)
    screen.stack.wire.spoken[f"lambda.PUT /2015-03-31/functions/{FUNCTION}/configuration"] = lambda _: denied
    told = screen.act("new-key", team="red")
    assert "not yours" in told["error"]
    assert screen.stack.keys["red"] == KEYS["red"]
    assert screen.show()["journal"][0]["act"] == "pause team"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Lunch is here", "is not in the form of a message, so nobody sees it"),
        ('{"words": "Lunch", "at": "noon"}', "is not in the form of a message, so nobody sees it"),
    ],
)
def test_a_message_that_somebody_wrote_by_hand_is_told_and_replaced(
    screen: Screen, written: str, said: str
) -> None:
    screen.stack.streamer.variables[MESSAGE_VARIABLE] = written
    shown = screen.show()
    assert (shown["message"], said in shown["trouble"], len(shown["teams"])) == ("", True, 3)
    assert screen.act("message", words="Lunch") == {"before": ""}
    shown = screen.show()
    assert (shown["message"], shown["trouble"]) == ("Lunch", "")


@pytest.mark.parametrize("written", ["all", "[]", '{"models": "all"}', '{"teams": {"red": 1}, "more": {}}'])
def test_a_pause_that_somebody_wrote_by_hand_is_told_and_replaced(screen: Screen, written: str) -> None:
    screen.stack.keeper.variables[PAUSED_VARIABLE] = written
    shown = screen.show()
    assert "is not in the form of pauses" in shown["trouble"]
    assert len(shown["teams"]) == 3
    assert screen.act("pause", team="red", words="Ask us") == {}
    assert screen.stack.paused["teams"] == {"red": "Ask us"}
    assert screen.show()["trouble"] == ""


def test_a_pause_that_somebody_wrote_by_hand_is_written_anew_by_who_ends_one(screen: Screen) -> None:
    screen.stack.keeper.variables[PAUSED_VARIABLE] = '{"models": {"chat": ""}, "more": 1}'
    assert screen.act("resume", name="chat") == {"words": ""}
    assert screen.stack.paused == {}


def test_however_often_somebody_looks_aws_is_asked_rarely(screen: Screen) -> None:
    screen.show()
    before = [*screen.stack.wire.asked]
    for _ in range(9):
        screen.now += timedelta(seconds=1)
        screen.show()
    assert screen.stack.wire.asked == before
    screen.now += timedelta(seconds=SECONDS["history"])
    screen.show()
    count = screen.stack.wire.asked.count
    assert (count("monitoring.GetMetricData"), count("logs.StartQuery")) == (2, 4 + 1 + 1)


def test_an_act_shows_at_once_and_asks_no_log_again(screen: Screen) -> None:
    assert screen.team("red")["paused"] is None
    queries = len(screen.stack.queries)
    assert screen.act("pause", team="red", words="Ask us") == {}
    assert screen.team("red")["paused"] == "Ask us"
    assert screen.act("pause", words="All") == {}
    assert screen.show()["paused"] == "All"
    assert screen.act("resume") == {"words": "All"}
    assert len(screen.stack.queries) == queries
    assert [(deed["act"], deed["subject"], deed["by"]) for deed in screen.show()["journal"]] == [
        ("resume", "", "screen"),
        ("pause", "", "screen"),
        ("pause team", "red", "screen"),
    ]


def test_an_act_waits_for_no_query_and_shows_afterwards(screen: Screen) -> None:
    asked, answered = threading.Event(), threading.Event()
    query = screen.stack.wire.spoken["logs.GetQueryResults"]

    def wait(body: str) -> Answer:
        asked.set()
        assert answered.wait(30)
        return query(body)

    screen.stack.wire.spoken["logs.GetQueryResults"] = wait
    with ThreadPoolExecutor() as threads:
        looking = threads.submit(screen.show)
        try:
            assert asked.wait(30)
            acting = threads.submit(screen.act, "pause", words="Stop")
            assert acting.result(timeout=30) == {}
            assert not looking.done()
        finally:
            answered.set()
    assert screen.stack.paused == {"models": {"": "Stop"}}
    assert screen.show()["paused"] == "Stop"


def test_a_grant_raises_the_limit_and_is_undone(screen: Screen) -> None:
    assert screen.act("grant", team="red", usd=0.5) == {"ends": True}
    red = screen.team("red")
    assert (red["limits"][1]["most"], red["granted"]["usd"]) == (2.5, 0.5)
    assert screen.act("take-back", team="red", usd=0.5)["usd"] == 0.5
    assert screen.team("red")["limits"][1]["most"] == 2.0
    assert "less than that" in screen.act("take-back", team="red", usd=9)["error"]
    assert "counts requests by itself" in screen.act("take-back", team="red", requests=9)["error"]


def test_joining_is_closed_opened_and_gets_a_code(screen: Screen) -> None:
    assert screen.act("close-joining") == {}
    assert screen.show()["join"]["closed"]
    screen.act("open-joining")
    screen.act("new-code")
    now = screen.show()["join"]
    assert (now["closed"], now["code"] == "the-code") == ("", False)
    acts = [deed["act"] for deed in screen.show()["journal"]]
    assert acts == ["new code", "open joining", "close joining"]
    assert now["code"] not in json.dumps(screen.show()["journal"])


def test_keys_are_revoked(screen: Screen) -> None:
    assert screen.act("revoke", team="red") == {}
    assert screen.stack.keys_changed == [[{"op": "replace", "path": "/enabled", "value": "false"}]]
    assert screen.show()["journal"][0]["act"] == "revoke"


def test_what_aws_refuses_is_said_and_the_rest_is_shown(screen: Screen) -> None:
    screen.show()
    screen.stack.wire.spoken["dynamodb.Scan"] = lambda _: refusal("AccessDeniedException", "not yours")
    screen.now += timedelta(seconds=SECONDS["spent"])
    shown = screen.show()
    assert "not yours" in shown["trouble"]
    assert [team["name"] for team in shown["teams"]] == ["red", "blue", "Owls"]


def test_a_config_that_is_wrong_for_a_while_is_said_and_the_former_is_shown(
    screen: Screen, tmp_path: Path
) -> None:
    assert screen.show()["trouble"] == ""
    (tmp_path / "models.json").write_text("{")
    shown = screen.show()
    assert "in the config" in shown["trouble"]
    assert [team["name"] for team in shown["teams"]] == ["red", "blue", "Owls"]
    (tmp_path / "models.json").write_text(json.dumps(CONFIG))
    assert screen.show()["trouble"] == ""


def test_a_stack_that_is_gone_is_said(screen: Screen) -> None:
    gone = xml_refusal("ValidationError", "Stack with id Event does not exist", 400)
    screen.stack.wire.answers["cloudformation.DescribeStacks"] = gone
    shown = screen.show()
    assert "Event is not deployed in us-east-1" in shown["trouble"]
    assert shown["models"][0]["name"] == "chat"
