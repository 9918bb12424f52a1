"""Where an entry fails, the next one of its `fallback` is asked: never after the caller has got something."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from support.hosted_function import ASK, ELSEWHERE, HostedFunction, start_hosted_function
from support.openai_answers import WORDS
from support.provider import KEY
from support.stream_host import build_event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.background import Background

pytestmark = pytest.mark.slow
CHAT_PATH = "/v1/chat/completions"
FALLBACKS = {
    "e-limited": ["e-broken", "e-gpt-fake"],
    "e-closed": ["e-gpt-fake"],
    "e-forbidden": ["e-gpt-fake"],
    "e-gone": ["e-gpt-fake"],
    "e-cut": ["e-gpt-fake"],
    "e-detail": ["e-gpt-fake"],
    "e-broken": ["e-limited"],
}


@dataclass
class Falling:
    """The function, and the models that the provider was asked for by a call."""

    hosted: HostedFunction

    def call(self, name: str, path: str = CHAT_PATH, **more: Any) -> tuple[Any, list[str]]:
        seen = self.hosted.provider.seen
        before = len(seen)
        answer = self.hosted.host.invoke(build_event(path, {"model": name, **ASK, **more}))
        text = answer.body.read().decode()
        return (answer.status, answer.headers.get("x-served-by"), text), [
            call.json["model"] for call in seen[before:]
        ]


@pytest.fixture(scope="module")
def falling(loop: Background, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Falling]:
    with start_hosted_function(loop, tmp_path_factory.mktemp("falling"), fallbacks=FALLBACKS) as hosted:
        yield Falling(hosted)


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("e-limited", ["limited", "broken", "gpt-fake"]),
        ("e-closed", ["gpt-fake"]),
        ("e-forbidden", ["forbidden", "gpt-fake"]),
    ],
)
@pytest.mark.parametrize("path", [CHAT_PATH, "{}"])
def test_the_next_one_answers(falling: Falling, name: str, asked: list[str], path: str) -> None:
    (status, served_by, text), models = falling.call(name, path.format(f"/{name}"))
    assert (status, served_by, models) == (200, "e-gpt-fake", asked)
    assert json.loads(text)["choices"][0]["message"]["content"] == "".join(WORDS)


@pytest.mark.parametrize("model", ["gone", "cut"])
def test_nobody_is_asked_once_a_model_may_have_worked(falling: Falling, model: str) -> None:
    (status, served_by, text), models = falling.call(f"e-{model}")
    assert (status, served_by, models) == (502, f"e-{model}", [model])
    assert json.loads(text)["error"]["code"] == "model_failed"


def test_a_mistake_of_the_caller_is_no_reason_to_ask_another(falling: Falling) -> None:
    (status, served_by, _), models = falling.call("e-detail")
    assert (status, served_by, models) == (422, "e-detail", ["detail"])


def test_nobody_is_asked_once_something_has_reached_the_caller(falling: Falling) -> None:
    (status, served_by, text), models = falling.call("e-cut", stream=True)
    assert (status, served_by, models) == (200, "e-cut", ["cut"])
    assert json.loads(text.split("\n\n")[-2].removeprefix("data: "))["error"]["code"] == "model_failed"


def test_the_last_ones_error_is_told(falling: Falling) -> None:
    (status, served_by, text), models = falling.call("e-broken")
    assert (status, served_by, models) == (429, "e-limited", ["broken", "limited"])
    assert json.loads(text)["error"]["code"] == "rate_limit_exceeded"


def test_a_team_is_never_served_by_what_it_may_not_call(falling: Falling) -> None:
    event = build_event(CHAT_PATH, {"model": "e-forbidden", **ASK})
    event["requestContext"]["authorizer"] = {"refused": '["e-gpt-fake"]'}
    answer = falling.hosted.host.invoke(event)
    assert (answer.status, answer.headers["x-served-by"]) == (502, "e-forbidden")


def test_an_entry_without_fallback_names_nobody(falling: Falling) -> None:
    (status, served_by, _), _ = falling.call("e-gpt-fake")
    assert (status, served_by) == (200, None)
    assert KEY not in str(falling.hosted.host.lines)
    assert ELSEWHERE not in str(falling.hosted.host.lines)
