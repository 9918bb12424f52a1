"""What the function that passes keys on answers while a model, a team or everything is paused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from centralized_ml_api.api.error_shape import NOT_ALLOWED, build_error
from centralized_ml_api.api.notices import build_pause_error
from centralized_ml_api.aws.constructs.team_keys import (
    DIRECT_CHARACTERS,
    render_direct,
    word_refusals,
)
from centralized_ml_api.aws.event.pauses import hash_key
from centralized_ml_api.aws.stack.contract import STACK_TAG, TEAM_TAG
from centralized_ml_api.plan.aws.event import TABLE_CHARACTERS
from support.key_function import LONG_AGO, STARTS, ask, call, pause, start_with


@pytest.mark.usefixtures("environment")
def test_what_is_paused_is_refused_with_the_organizers_words(monkeypatch: pytest.MonkeyPatch) -> None:
    function = pause(monkeypatch, models={"": 'Back "soon" \\ at 14:00'})
    answer = ask(function, "POST", "/plain", "red")
    said = build_pause_error("Back 'soon' / at 14:00")
    assert (answer.status, json.loads(answer.body)["error"]) == (403, build_error(said, "an-id")["error"])
    assert dict(answer.headers)["retry-after"] == "60"
    wordless = ask(pause(monkeypatch, models={"": ""}), "POST", "/plain", "red")
    assert json.loads(wordless.body)["error"] == build_error(build_pause_error(""), "an-id")["error"]


@pytest.mark.usefixtures("environment")
def test_one_team_is_paused_and_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    function = pause(monkeypatch, teams={"red": "Ask us"}, keys={hash_key("red"): "red"})
    assert json.loads(ask(function, "POST", "/plain", "red").body)["error"]["code"] == "paused"
    assert ask(function, "PUT", "/plain", "blue").status == 405, "it was let in"
    refused = ask(function, "POST", "/other", "blue")
    assert json.loads(refused.body) == build_error(NOT_ALLOWED, "an-id")
    assert json.loads(call(function, "red")["context"]["paused"]) == {"": "Ask us"}
    assert "paused" not in call(function, "blue")["context"]


@pytest.mark.usefixtures("environment")
def test_one_model_is_paused_and_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """That of the function that streams, `chat`, is refused there."""
    function = pause(monkeypatch, models={"other": "Broken", "chat": "Later"})
    assert "Broken" in json.loads(ask(function, "POST", "/other", "red").body)["error"]["message"]
    assert ask(function, "PUT", "/plain", "red").status == 405, "it was let in"
    assert json.loads(call(function, "red")["context"]["paused"]) == {"other": "Broken", "chat": "Later"}


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("", {}),
        ("Back at two", {}),
        ("[1]", {}),
        ('"Back at two"', {}),
        ('{"models": "all", "teams": {"red": "Ask us", "blue": 1}}', {"teams": {"red": "Ask us"}}),
    ],
)
def test_a_pause_that_somebody_wrote_by_hand_stops_no_call(
    monkeypatch: pytest.MonkeyPatch, written: str, kept: dict[str, Any]
) -> None:
    monkeypatch.setenv("PAUSED", written)
    function = start_with(monkeypatch, LONG_AGO, {})
    assert function.read_paused(written) == kept
    assert "paused" not in call(function, "red")["context"]


@pytest.mark.usefixtures("environment")
def test_a_job_is_told_of_the_pauses_of_its_team_and_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    function = pause(monkeypatch, models={"chat": "Later"}, teams={"red": "Ask us"})
    asked = [function.lambda_handler({"job_of": team}, None) for team in ("red", "blue")]
    assert asked == [
        {"has_key": True, "paused": {"": "Ask us"}},
        {"has_key": True, "paused": {"chat": "Later"}},
    ]


@pytest.mark.usefixtures("environment")
def test_where_all_calls_stream_a_pause_denies_no_path(monkeypatch: pytest.MonkeyPatch) -> None:
    function = pause(monkeypatch, direct="", models={"": "Back soon"})
    answer = call(function, "red")
    assert [statement["Effect"] for statement in answer["policyDocument"]["Statement"]] == ["Allow"]
    assert json.loads(answer["context"]["paused"]) == {"": "Back soon"}


@pytest.mark.usefixtures("environment")
def test_with_too_many_entries_to_name_a_pause_denies_all_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    assert render_direct(["a", "b"]) == "a,b"
    many = render_direct(f"model-{number}" for number in range(100))
    function = pause(monkeypatch, direct=many, models={"": "Back soon"})
    assert json.loads(ask(function, "POST", "/plain", "red").body)["error"]["code"] == "paused"
    assert ask(function, "PUT", "/plain", "red").status == 405, "it was let in"
    function = pause(monkeypatch, direct=many, models={"other": "Broken"})
    assert json.loads(ask(function, "POST", "/other", "red").body)["error"]["code"] == "paused"
    assert ask(function, "PUT", "/plain", "red").status == 405, "it was let in"


def test_what_the_function_is_told_leaves_room_for_a_pause() -> None:
    told = {
        "REFUSED": "x" * (TABLE_CHARACTERS - len('""')),
        "OWN_TAG": json.dumps([STACK_TAG, "S" * 128]),
        "TEAM_TAG": TEAM_TAG,
        "WORDS": json.dumps(word_refusals(STARTS)),
        "DIRECT": "y" * DIRECT_CHARACTERS,
        "NAMES_TEAM": "yes",
        "PAUSED": json.dumps({"teams": {"red": "w" * 70}, "keys": {"0" * 16: "red"}}),
    }
    assert len(json.dumps(told)) <= 4096
