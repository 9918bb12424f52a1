"""`mlapi pause`, `resume` and `message`: what they ask of the process that serves, and what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.status import LocalStatus
from support.control import SilentTarget, serve_control
from support.verbs import mlapi

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STATUS = LocalStatus(7, "models.json", ".mlapi", 0.0, "http://127.0.0.1:1", "", "", (), ())


@pytest.fixture
def target(tmp_path: Path) -> Iterator[SilentTarget]:
    silent = SilentTarget(STATUS)
    with serve_control(silent, tmp_path / ".mlapi"):
        yield silent


@pytest.mark.parametrize(
    ("words", "ordered", "said"),
    [
        ("pause chat --say Soon", "pause chat Soon", "chat is paused.\nNext: mlapi resume chat\n"),
        ("pause", "pause ", "Every model is paused.\nNext: mlapi resume\n"),
        ("pause --team red", "pause red ", "red is paused.\nNext: mlapi resume --team red\n"),
        ("resume --team red", "resume red", "red is no longer paused.\nNext: mlapi status\n"),
        ("resume chat", "resume chat", "chat is no longer paused.\nNext: mlapi status\n"),
        ("resume", "resume", "The API is no longer paused.\nNext: mlapi status\n"),
    ],
)
def test_a_pause_begins_and_ends(
    words: str, ordered: str, said: str, target: SilentTarget, tmp_path: Path
) -> None:
    ran = mlapi(*words.split(), cwd=tmp_path)
    assert (ran.status, ran.out + ran.talk, target.ordered) == (0, said, [ordered])


@pytest.mark.parametrize("verb", ["pause", "resume"])
def test_a_pause_is_that_of_a_model_or_of_a_team(verb: str, target: SilentTarget, tmp_path: Path) -> None:
    assert mlapi(verb, "chat", "--team", "red", cwd=tmp_path).status == 2
    assert target.ordered == []


def test_a_team_is_granted_more_until_that_is_taken_back(target: SilentTarget, tmp_path: Path) -> None:
    more = mlapi("grant", "red", "--usd", "1.5", "--requests", "20", cwd=tmp_path)
    assert (more.out, more.talk) == (
        "red may use more until you take it back.\n",
        "Next: mlapi grant red --take-back\n",
    )
    back = mlapi("grant", "red", "--take-back", cwd=tmp_path)
    assert (back.out, back.talk) == ("red has the limits of the config again.\n", "Next: mlapi status\n")
    target.refusal = {"ends": "2030-06-01T16:00:00Z"}
    ending = mlapi("grant", "red", "--usd", "1.5", "--requests", "20", cwd=tmp_path)
    assert ending.out == "red may use more until the event ends.\n"
    assert target.ordered == ["grant red 1.5 20", "take-back red", "grant red 1.5 20"]
    for words in ([], ["--take-back", "--usd", "1"], ["--usd", "0"], ["--tokens", "1.5"]):
        assert mlapi("grant", "red", *words, cwd=tmp_path).status == 2
    assert len(target.ordered) == 3


def test_a_message_is_said_and_taken_away(target: SilentTarget, tmp_path: Path) -> None:
    target.refusal = {"before": "Lunch"}
    said = mlapi("message", "Dinner is here", cwd=tmp_path)
    assert (said.out, said.talk) == ("Everybody sees it from now on.\n", "Next: mlapi message --clear\n")
    cleared = mlapi("message", "--clear", cwd=tmp_path)
    assert cleared.out == "There is no message any more.\n"
    assert mlapi("message", "Dinner", "is", "cold", cwd=tmp_path).status == 0  # quotes are easily forgotten
    assert target.ordered == ["message Dinner is here", "message ", "message Dinner is cold"]
    for words in ([], [" "], ["Dinner", "--clear"]):
        assert mlapi("message", *words, cwd=tmp_path).status == 2
    assert len(target.ordered) == 3
