"""Clients of one API on a provider of another, through a real `mlapi up`, its Envoy and its translator."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError

import openai
import pytest

from support.access_log import read_line
from support.anthropic_answers import CALLS, TEXT
from support.background import start_background
from support.local_api import LocalApi, start_local_api
from support.openai_answers import WORDS
from support.provider import KEY, Provider, start_provider
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow
ASK: list[Any] = [{"role": "user", "content": "What is AWS?"}]
TOOLS = [{"name": "get_weather", "input_schema": {"type": "object"}}]
FUNCTIONS: Any = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}]


@dataclass
class Hosted:
    """A running API and the provider behind it."""

    api: LocalApi
    provider: Provider

    def post(self, path: str, body: dict[str, Any], **headers: str) -> tuple[int, str]:
        """Returns status and body of the answer; header names with underscores for hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = urllib.request.Request(
            f"{self.api.url}{path}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json", **named},
        )
        try:
            with urllib.request.urlopen(sent, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()

    def messages(self, model: str, **fields: Any) -> tuple[int, str]:
        """Calls a model as Anthropic's clients do."""
        return self.post("/v1/messages", {"model": model, "max_tokens": 50, "messages": ASK, **fields})

    def last_body(self) -> dict[str, Any]:
        """Returns what the provider got last."""
        body: dict[str, Any] = self.provider.seen[-1].json
        return body


def entry(name: str, url: str, provider: str, model: str, speaks: str, **more: Any) -> dict[str, Any]:
    written = {"name": provider, "url": url, "model": model, "key": {"env": "ORGANIZERS_KEY"}}
    return {
        "name": name,
        "provider": {**written, "speaks": speaks},
        "integration": {"type": "api"},
        **more,
    }


@pytest.fixture(scope="module")
def hosted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    folder = tmp_path_factory.mktemp("translation")
    with start_background() as background, start_provider(background, folder) as provider:
        claudes = ("claude-fake", "limited", "overloaded", "cut", "unknown")
        entries = [
            entry("gpt", provider.url, "openai", "gpt-fake", "openai-chat", max_output_tokens=40),
            entry("gpt-limited", provider.url, "openai", "limited", "openai-chat"),
            entry("gpt-cut", provider.url, "openai", "cut", "openai-chat"),
            *(
                entry(f"a-{model}", provider.url, "anthropic", model, "anthropic-messages")
                for model in claudes
            ),
        ]
        environment = {"SSL_CERT_FILE": str(provider.certificate), "ORGANIZERS_KEY": KEY}
        with start_local_api(folder, {"models": [], "endpoints": entries}, environment=environment) as api:
            yield Hosted(api.wait_serving(), provider)


@pytest.fixture(scope="module")
def client(hosted: Hosted) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{hosted.api.url}/v1", api_key="my own", max_retries=0) as client:
        yield client


def read_events(text: str) -> list[dict[str, Any]]:
    return [
        json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line.startswith("data: ")
    ]


def test_anthropics_call_on_openais_provider(hosted: Hosted) -> None:
    status, text = hosted.messages("gpt", system="Be brief.", stop_sequences=["END"])
    message = json.loads(text)
    assert (status, message["type"], message["stop_reason"]) == (200, "message", "end_turn")
    assert message["content"] == [{"type": "text", "text": "".join(WORDS)}]
    assert message["usage"] == {
        "input_tokens": 15,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 4,
        "output_tokens": 10,
    }
    assert hosted.last_body() == {
        "model": "gpt-fake",
        "messages": [{"role": "system", "content": "Be brief."}, *ASK],
        "max_completion_tokens": 40,
        "stop": ["END"],
    }
    assert hosted.provider.seen[-1].path == "/v1/chat/completions"
    assert hosted.provider.seen[-1].headers["Authorization"] == f"Bearer {KEY}"
    assert not [name for name in hosted.provider.seen[-1].headers if name.lower().startswith("x-")]


def test_a_stream_of_openais_provider_for_anthropics_client(hosted: Hosted) -> None:
    _, text = hosted.messages("gpt", stream=True, tools=TOOLS)
    events = read_events(text)
    assert events[1]["content_block"]["name"] == "get_weather"
    assert [event["delta"]["partial_json"] for event in events if event["type"] == "content_block_delta"] == [
        '{"city": "Bern"}'
    ]
    assert (events[-2]["delta"]["stop_reason"], events[-2]["usage"]["output_tokens"]) == ("tool_use", 10)
    assert events[-1] == {"type": "message_stop"}


def test_openais_client_on_anthropics_provider(client: openai.OpenAI, hosted: Hosted) -> None:
    whole = client.chat.completions.create(
        model="a-claude-fake", messages=ASK, tools=FUNCTIONS, extra_headers={"anthropic-version": "1999"}
    )
    calls = [
        (call.id, call.function.name, json.loads(call.function.arguments))
        for call in whole.choices[0].message.tool_calls or []
        if call.type == "function"
    ]
    assert calls == list(CALLS)
    assert whole.choices[0].finish_reason == "tool_calls"
    assert whole.usage
    assert (whole.usage.prompt_tokens, whole.usage.completion_tokens) == (14, 11)
    seen = hosted.provider.seen[-1]
    assert (seen.path, seen.headers["x-api-key"]) == ("/v1/messages", KEY)
    assert seen.headers["anthropic-version"] == "2023-06-01"
    assert "Authorization" not in seen.headers
    assert hosted.last_body()["max_tokens"] == 4096


@pytest.mark.parametrize("path", ["/v1/messages", "/a-claude-fake", "/a-claude-fake/v1/messages"])
def test_the_betas_that_anthropics_client_names_reach_its_api(hosted: Hosted, path: str) -> None:
    betas = {"anthropic_beta": "a,context-management-2025-06-27", "anthropic_version": "2026-10-21"}
    body = {"model": "a-claude-fake", "max_tokens": 9, "context_management": {"edits": []}, "messages": ASK}
    status, text = hosted.post(path, body)
    assert (status, "Extra inputs are not permitted" in text) == (400, True)
    status, _ = hosted.post(path, body, x_api_key="my own", **betas)
    assert status == 200
    seen = {name.lower(): value for name, value in hosted.provider.seen[-1].headers.items()}
    assert {name.replace("_", "-"): value for name, value in betas.items()}.items() <= seen.items()
    assert seen["x-api-key"] == KEY


def test_no_beta_reaches_a_server_of_another_api(hosted: Hosted) -> None:
    body = {"model": "gpt", "max_tokens": 9, "messages": ASK}
    status, _ = hosted.post("/v1/messages", body, anthropic_beta="a", anthropic_version="2026-10-21")
    assert status == 200
    assert not [name for name in hosted.provider.seen[-1].headers if name.lower().startswith("anthropic")]


def test_openais_client_streams_from_anthropics_provider(client: openai.OpenAI) -> None:
    with client.chat.completions.stream(model="a-claude-fake", messages=ASK, tools=FUNCTIONS) as stream:
        final = stream.get_final_completion()
    assert final.choices[0].message.content == TEXT
    assert [json.loads(call.function.arguments) for call in final.choices[0].message.tool_calls or []] == [
        given for _, _, given in CALLS
    ]


@pytest.mark.parametrize("model", ["gpt", "a-claude-fake"])
def test_openais_client_asks_for_responses(client: openai.OpenAI, model: str) -> None:
    said = TEXT if model.startswith("a-") else "".join(WORDS)
    assert client.responses.create(model=model, input="What is AWS?").output_text == said
    with client.responses.stream(model=model, input="What is AWS?") as stream:
        final = stream.get_final_response()
    assert final.output_text == said
    assert final.usage
    assert final.usage.output_tokens == (11 if model.startswith("a-") else 10)


def test_anthropics_own_call_passes_as_it_is(hosted: Hosted) -> None:
    fields = {"thinking": {"type": "enabled", "budget_tokens": 1024}, "top_k": 5}
    _, text = hosted.messages("a-claude-fake", **fields)
    message = json.loads(text)
    assert (message["id"], message["content"][0]["thinking"]) == ("msg_013Zva2CMHLNnXjNJJKqJ2EF", "Hm.")
    assert hosted.last_body()["top_k"] == 5


def test_the_list_of_models_tells_the_routes_of_each(client: openai.OpenAI) -> None:
    listed = {model.id: model.model_dump() for model in client.models.list()}
    translated = ["/v1/chat/completions", "/v1/responses", "/v1/messages"]
    assert listed["gpt"]["routes"] == translated
    assert listed["a-claude-fake"]["routes"] == [*translated, "/v1/messages/count_tokens"]


def test_what_has_no_equivalent_is_refused_by_its_name(client: openai.OpenAI, hosted: Hosted) -> None:
    count = len(hosted.provider.seen)
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model="a-claude-fake", messages=ASK, seed=7)
    assert refused.value.param == "seed"
    assert refused.value.code == "invalid_body"
    assert refused.value.body["request_id"] == refused.value.response.headers["x-request-id"]  # type: ignore[index]
    status, text = hosted.messages("gpt", top_k=5)
    error = json.loads(text)
    assert (status, error["type"], error["error"]["type"]) == (400, "error", "invalid_request_error")
    assert error["error"]["message"].startswith("'top_k' cannot be translated")
    assert error["request_id"].startswith("req-")
    assert len(hosted.provider.seen) == count


def test_tokens_cannot_be_counted_by_translation(hosted: Hosted) -> None:
    status, text = hosted.post("/v1/messages/count_tokens", {"model": "gpt", "messages": ASK})
    assert (status, json.loads(text)["error"]["type"]) == (HTTPStatus.NOT_FOUND, "not_found_error")


def test_errors_of_providers_arrive_in_the_clients_shape(client: openai.OpenAI, hosted: Hosted) -> None:
    with pytest.raises(openai.RateLimitError, match=r"Slow down\.") as limited:
        client.chat.completions.create(model="a-limited", messages=ASK)
    assert limited.value.response.headers["retry-after"] == "7"
    with pytest.raises(openai.InternalServerError, match="Overloaded") as overloaded:
        client.chat.completions.create(model="a-overloaded", messages=ASK)
    assert overloaded.value.status_code == 529
    with pytest.raises(openai.NotFoundError, match="model: unknown"):
        client.chat.completions.create(model="a-unknown", messages=ASK)
    status, text = hosted.messages("gpt-limited")
    error = json.loads(text)["error"]
    assert (status, error["type"]) == (429, "rate_limit_error")
    assert "Rate limit reached" in error["message"]


def test_streams_that_fail_end_with_an_error(client: openai.OpenAI, hosted: Hosted) -> None:
    for model, said in (("a-overloaded", "Overloaded"), ("a-cut", "cannot be read")):
        stream = client.chat.completions.create(model=model, messages=ASK, stream=True)
        with pytest.raises(openai.APIError, match=said):
            list(stream)
    _, text = hosted.messages("gpt-cut", stream=True)
    assert read_events(text)[-1]["error"]["type"] == "api_error"


def find_logged(api: LocalApi, request_id: str) -> dict[str, Any]:
    log = api.folder / ".mlapi/logs/access.log"
    wait_until(lambda: request_id in log.read_text(), f"{request_id} is in the access log")
    (line,) = (line for line in log.read_text().splitlines() if request_id in line)
    return read_line(line)


def test_tokens_are_counted_as_for_every_call(client: openai.OpenAI, hosted: Hosted) -> None:
    answer = client.chat.completions.with_raw_response.create(model="a-claude-fake", messages=ASK)
    stream = client.chat.completions.with_raw_response.create(
        model="a-claude-fake", messages=ASK, stream=True
    )
    assert b'"usage"' not in stream.http_response.read(), "who has not asked for tokens gets no event of them"
    for each in (answer, stream):
        request_id = each.headers["x-request-id"]
        line = find_logged(hosted.api, request_id)
        assert (line["tokens_in"], line["tokens_cached"], line["tokens_out"]) == (14, 5, 11)


def test_a_refused_key_is_not_the_callers_fault(hosted: Hosted) -> None:
    hosted.provider.keys.discard(KEY)
    try:
        for path, model in (("/v1/messages", "gpt"), ("/v1/chat/completions", "a-claude-fake")):
            status, text = hosted.post(path, {"model": model, "max_tokens": 50, "messages": ASK})
            assert status == HTTPStatus.BAD_GATEWAY
            assert KEY[:8] not in text
    finally:
        hosted.provider.keys.add(KEY)


def test_a_translator_that_ends_is_started_again_and_never_had_the_key(hosted: Hosted) -> None:
    (translator,) = (one for one in hosted.api.pids() if "translator_server.mjs" in " ".join(one.cmdline()))
    assert KEY not in f"{translator.environ()}{translator.cmdline()}"
    translator.kill()
    wait_until(lambda: hosted.messages("gpt")[0] == 200, "the next one answers")
