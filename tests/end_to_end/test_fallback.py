"""Where an entry fails, the next one of its `fallback` is asked, through a real `mlapi up`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.local.keys import KeyStore, LocalKeys
from support.access_log import read_line
from support.background import start_background
from support.local_api import LocalApi, start_local_api
from support.openai_answers import USAGE, WORDS
from support.provider import KEY, Provider, start_provider
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow
CHAT_PATH = "/v1/chat/completions"
ASK: list[Any] = [{"role": "user", "content": "What is AWS?"}]
TEXT = "".join(WORDS)
FALLBACKS = {
    "limited": ["broken", "gpt-fake"],
    "closed": ["gpt-fake"],
    "forbidden": ["gpt-fake"],
    "gone": ["gpt-fake"],
    "cut": ["gpt-fake"],
    "detail": ["gpt-fake"],
    "page": ["claude-fake", "gpt-fake"],
    "broken": ["limited"],
}


@dataclass
class Answered:
    """An answer, and the models that the provider was asked for."""

    status: int
    headers: Any
    text: str
    asked: list[str]

    @property
    def outcome(self) -> tuple[int, str | None, list[str]]:
        return self.status, self.headers.get("x-served-by"), self.asked

    @property
    def error(self) -> dict[str, Any]:
        error: dict[str, Any] = json.loads(self.text)["error"]
        return error


@dataclass
class Falling:
    """A running API whose entries, each named as the provider's model, fall back on others."""

    api: LocalApi
    provider: Provider

    def call(self, name: str, path: str = CHAT_PATH, team: str = "all", **more: Any) -> Answered:
        before = len(self.provider.seen)
        body = json.dumps({"model": name, "messages": ASK, **more}).encode()
        key = LocalKeys(KeyStore(self.api.folder / ".mlapi")).show(team)
        answer = self.api.call(path, body, x_api_key=key)
        asked = [call.json["model"] for call in self.provider.seen[before:]]
        return Answered(answer.status, answer.headers, answer.data.decode(), asked)

    def logged(self, answer: Answered) -> dict[str, Any]:
        log = self.api.folder / ".mlapi/logs/access.log"
        request_id = answer.headers["x-request-id"]
        wait_until(lambda: request_id in log.read_text(), "the call is in the access log")
        (line,) = (line for line in log.read_text().splitlines() if request_id in line)
        return read_line(line)


@pytest.fixture(scope="module")
def falling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Falling]:
    folder = tmp_path_factory.mktemp("fallback")
    with start_background() as background, start_provider(background, folder) as provider:

        def entry(name: str, url: str = provider.url, kind: str = "openai") -> dict[str, Any]:
            speaks = "openai-chat" if kind == "openai" else "anthropic-messages"
            key = {"env": "ORGANIZERS_KEY"}
            hosted = {"name": kind, "url": url, "model": name, "key": key, "speaks": speaks}
            others = {"fallback": FALLBACKS[name]} if name in FALLBACKS else {}
            return {"name": name, "provider": hosted, "integration": {"type": "api"}, **others}

        entries = [entry(name) for name in ("gpt-fake", *FALLBACKS) if name != "closed"]
        entries += [
            entry("closed", "https://localhost:1/v1"),
            entry("claude-fake", kind="anthropic"),
            entry("nowhere", "https://localhost:1/v1"),
            {**entry("limited"), "name": "busy", "fallback": ["nowhere"]},
        ]
        limits = {"requests_at_once": 1, "tokens_per_day": 100_000}
        teams = [{"name": "all", **limits}, {"name": "some", "models": ["forbidden"]}]
        config = {"models": [], "endpoints": entries, "event": {"teams": teams}}
        environment = {"SSL_CERT_FILE": str(provider.certificate), "ORGANIZERS_KEY": KEY}
        with start_local_api(folder, config, environment=environment) as api:
            yield Falling(api.wait_serving(), provider)


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("limited", ["limited", "broken", "gpt-fake"]),
        ("closed", ["gpt-fake"]),
        ("forbidden", ["forbidden", "gpt-fake"]),
    ],
)
@pytest.mark.parametrize("path", [CHAT_PATH, "/{name}", "/{name}/v1/chat/completions"])
def test_the_next_one_answers(falling: Falling, name: str, asked: list[str], path: str) -> None:
    answer = falling.call(name, path.format(name=name))
    assert answer.outcome == (200, "gpt-fake", asked)
    assert json.loads(answer.text)["choices"][0]["message"]["content"] == TEXT
    assert int(answer.headers["x-ratelimit-remaining-tokens"]) > 0
    logged = falling.logged(answer)
    assert (logged["model"], logged["served_by"]) == (name, "gpt-fake")
    assert (logged["tokens_in"], logged["tokens_out"]) == (USAGE["prompt_tokens"], USAGE["completion_tokens"])


def test_a_stream_counts_though_its_caller_sees_no_tokens(falling: Falling) -> None:
    answer = falling.call("limited", stream=True)
    assert answer.outcome == (200, "gpt-fake", ["limited", "broken", "gpt-fake"])
    assert answer.text.endswith("data: [DONE]\n\n")
    assert '"usage": {"prompt' not in answer.text
    assert falling.logged(answer)["tokens_in"] == USAGE["prompt_tokens"]


@pytest.mark.parametrize("name", ["gone", "cut"])
def test_nobody_is_asked_once_a_model_may_have_worked(falling: Falling, name: str) -> None:
    answer = falling.call(name)
    assert answer.outcome == (502, name, [name])
    assert answer.error["code"] == "model_failed"
    assert answer.error["request_id"] == answer.headers["x-request-id"]


def test_a_mistake_of_the_caller_is_no_reason_to_ask_another(falling: Falling) -> None:
    assert falling.call("detail").outcome == (422, "detail", ["detail"])


def test_who_has_no_place_for_something_is_passed_over(falling: Falling) -> None:
    assert falling.call("page", seed=7).outcome == (200, "gpt-fake", ["page", "gpt-fake"])


def test_the_last_ones_error_is_told(falling: Falling) -> None:
    answer = falling.call("broken")
    assert answer.outcome == (429, "limited", ["broken", "limited"])
    assert (answer.error["code"], answer.headers["retry-after"]) == ("rate_limit_exceeded", "7")
    assert falling.logged(answer)["served_by"] == "limited"


def test_a_team_is_never_served_by_what_it_may_not_call(falling: Falling) -> None:
    answer = falling.call("forbidden", team="some")
    assert answer.outcome == (502, "forbidden", ["forbidden"])
    assert answer.error["code"] == "provider_refused_key"
    assert falling.call("limited", team="some").status == 403


def test_a_job_one_of_whose_entries_has_answered_does_not_wait_for_the_others(falling: Falling) -> None:
    """Only one that no entry has got comes back: see `tests/contract`."""
    before = len(falling.provider.seen)
    key = LocalKeys(KeyStore(falling.api.folder / ".mlapi")).show("all")
    body = json.dumps({"model": "busy", "messages": ASK}).encode()
    job = json.loads(falling.api.call(CHAT_PATH, body, x_api_key=key, prefer="respond-async").data)
    path, answers = f"/v1/jobs/{job['id']}", list[Any]()

    def is_over() -> bool:
        answers.append(falling.api.call(path, b"", "GET", x_api_key=key))
        return bool(answers[-1].status != 202)

    wait_until(is_over, "the job has failed")
    assert (answers[-1].status, answers[-1].headers["x-served-by"]) == (503, "nowhere")
    assert [call.json["model"] for call in falling.provider.seen[before:]] == ["limited"]


def test_an_entry_without_fallback_names_nobody(falling: Falling) -> None:
    assert falling.call("gpt-fake").outcome == (200, None, ["gpt-fake"])
    assert KEY not in falling.api.output


def test_a_teams_key_reaches_no_provider(falling: Falling) -> None:
    key = LocalKeys(KeyStore(falling.api.folder / ".mlapi")).show("all")
    for path in (CHAT_PATH, "/limited", "/limited/v1/chat/completions"):
        assert falling.call("limited", path, stream=True).status == 200
    assert falling.call("page", seed=7).status == 200
    assert falling.provider.seen
    assert [call for call in falling.provider.seen if key in f"{call.headers}{call.body!r}"] == []
    assert key not in str(falling.provider.refused)


def test_a_caller_cannot_pretend_to_be_the_translator(falling: Falling) -> None:
    body = json.dumps({"messages": ASK}).encode()
    answer = falling.api.call("/closed/v1/chat/completions", body, x_mlapi_attempt="yes", x_mlapi_team="all")
    assert answer.status == 401
