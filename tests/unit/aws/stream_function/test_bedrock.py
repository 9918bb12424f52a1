"""Entries whose models Bedrock hosts: calls are signed and translated, answers counted, errors reworded."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.plan.aws.streaming import build_row
from centralized_ml_api.plan.aws.types import BedrockTarget, StreamModel
from centralized_ml_api.plan.types import BedrockModel
from support.bedrock import ACCOUNT, CLAUDE, COHERE, ERRORS, GPT, TITAN, WORDS, Bedrock, start_bedrock
from support.signed_runtime import Keys
from support.stream_host import StreamAnswer, StreamHost, build_event, start_stream_host

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.background import Background

pytestmark = pytest.mark.slow
REGION = "us-west-2"
TEXT = "".join(WORDS)
TOKENS = {"tokens_in": 23, "tokens_cached": 4, "tokens_out": 10}
CHAT_PATH = "/v1/chat/completions"
TALK = [{"role": "user", "content": "What is AWS?"}]
FUNCTION = {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}


@dataclass
class OnBedrock:
    """The function, and Bedrock; an entry has the last part of its model's id as its name."""

    host: StreamHost
    bedrock: Bedrock

    def call(self, name: str, path: str = CHAT_PATH, **more: Any) -> StreamAnswer:
        return self.host.invoke(build_event(path, {"model": name, "messages": TALK, **more}, request_id=name))


@pytest.fixture(scope="module")
def on_bedrock(loop: Background, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OnBedrock]:
    keys = Keys(REGION, "bedrock")
    keys.add("AKIDFUNCTION", "the/secret+key", "a-token")
    models = {"claude": CLAUDE, "gpt": GPT, **{name.partition(".")[2]: name for name in ERRORS}}
    models |= {"titan": TITAN, "cohere": COHERE}
    models |= {"cut": "anthropic.cut", "fails": "anthropic.fails"}
    rows = {}
    for name, model_id in models.items():
        target = BedrockTarget(BedrockModel(model_id, None, model_id == GPT), REGION)
        limit = 50 if name == "claude" else None
        rows[name] = build_row(StreamModel(name, None, None, (), limit, bedrock=target), "")
    with start_bedrock(loop, tmp_path_factory.mktemp("bedrock"), keys) as bedrock:
        environment = {
            "NODE_EXTRA_CA_CERTS": str(bedrock.certificate),
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": bedrock.url,
            "AWS_ACCESS_KEY_ID": "AKIDFUNCTION",
            "AWS_SECRET_ACCESS_KEY": "the/secret+key",
            "AWS_SESSION_TOKEN": "a-token",
        }
        with start_stream_host(
            models=rows, sagemaker_url="http://127.0.0.1:1", environment=environment
        ) as host:
            yield OnBedrock(host, bedrock)


def test_a_chat_is_translated_to_converse_and_back(on_bedrock: OnBedrock) -> None:
    answer = json.loads(on_bedrock.call("claude").body.read())
    assert answer["choices"][0]["message"]["content"] == TEXT
    assert answer["usage"]["completion_tokens"] == 10
    model, operation, body = on_bedrock.bedrock.seen[-1]
    assert (model, operation) == (CLAUDE, "converse")
    assert body["inferenceConfig"]["maxTokens"] == 50
    assert on_bedrock.bedrock.keys.refused == []
    on_bedrock.host.wait_for_line('"model":"claude"', *(f'"{key}":{value}' for key, value in TOKENS.items()))


def test_a_chat_streams(on_bedrock: OnBedrock) -> None:
    answer = on_bedrock.call("claude", stream=True)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    *events, end = answer.body.read().decode().removesuffix("\n\n").split("\n\n")
    said = [json.loads(event.removeprefix("data: ")) for event in events]
    assert end == "data: [DONE]"
    assert "".join(each["choices"][0]["delta"].get("content") or "" for each in said) == TEXT
    assert on_bedrock.bedrock.seen[-1][1] == "converse-stream"


def test_anthropics_clients_call_it_too_with_tools_whose_arguments_stream(on_bedrock: OnBedrock) -> None:
    tools = [{"name": "get_weather", "input_schema": FUNCTION["parameters"]}]
    more = {"max_tokens": 9, "tools": tools}
    whole = json.loads(on_bedrock.call("claude", "/v1/messages", **more).body.read())
    assert (whole["content"][0]["name"], whole["stop_reason"]) == ("get_weather", "tool_use")
    text = on_bedrock.call("claude", "/v1/messages", stream=True, **more).body.read().decode()
    assert "event: message_start" in text
    assert '"partial_json":"{\\"city\\":"' in text.replace(" ", "")
    assert "event: message_stop" in text


def test_a_response_is_translated(on_bedrock: OnBedrock) -> None:
    event = build_event("/v1/responses", {"model": "claude", "input": "What is AWS?"})
    answer = json.loads(on_bedrock.host.invoke(event).body.read())
    assert answer["output"][0]["content"][0]["text"] == TEXT


@pytest.mark.parametrize(
    ("name", "path", "body", "line"),
    [
        ("titan", "/v1/embeddings", {"inputText": "Hi"}, '"tokens_in":3'),
        ("titan", "/titan", {"inputText": "Hi"}, '"tokens_in":3'),
        (
            "cohere",
            "/v1/embeddings",
            {"texts": ["Hi"], "input_type": "search_document", "embedding_types": ["float"]},
            '"provider_status":200',
        ),
    ],
)
def test_embeddings_are_asked_of_invoke_model(
    on_bedrock: OnBedrock, name: str, path: str, body: dict[str, Any], line: str
) -> None:
    event = build_event(path, {"model": name, "input": "Hi"}, request_id=f"{name}{path}")
    answer = json.loads(on_bedrock.host.invoke(event).body.read())
    assert (answer["model"], answer["data"][0]["embedding"]) == (name, [0.25, -0.5])
    assert on_bedrock.bedrock.seen[-1][1:] == ("invoke", body)
    assert on_bedrock.bedrock.keys.refused == []
    on_bedrock.host.wait_for_line(f'"request_id":"{name}{path}"', line)


def test_chat_completions_of_bedrock_get_the_body_as_it_is(on_bedrock: OnBedrock) -> None:
    answer = on_bedrock.call("gpt", seed=1)
    assert json.loads(answer.body.read())["choices"][0]["message"]["content"] == TEXT
    assert on_bedrock.bedrock.seen[-1] == (GPT, "openai", {"model": GPT, "messages": TALK, "seed": 1})
    translated = on_bedrock.call("gpt", "/v1/messages", max_tokens=9)
    assert json.loads(translated.body.read())["content"][0]["text"] == TEXT
    assert on_bedrock.bedrock.seen[-1][2]["max_completion_tokens"] == 9


def test_the_entrys_own_path_takes_a_chat(on_bedrock: OnBedrock) -> None:
    answer = on_bedrock.host.invoke(build_event("/claude", {"messages": TALK}))
    assert json.loads(answer.body.read())["choices"][0]["message"]["content"] == TEXT


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("limited", 429, "too_many_requests"),
        ("forbidden", 502, "provider_refused_key"),
        ("unknown", 404, "model_refused"),
        ("slow", 504, "model_too_slow"),
        ("broken", 502, "model_failed"),
        ("invalid", 400, "model_refused"),
    ],
)
def test_errors_of_bedrock_are_put_into_the_one_shape(
    on_bedrock: OnBedrock, name: str, status: int, code: str
) -> None:
    for stream in (False, True):
        answer = on_bedrock.call(name, stream=stream)
        text = answer.body.read().decode()
        assert (answer.status, json.loads(text)["error"]["code"]) == (status, code)
        assert ACCOUNT not in text
    on_bedrock.host.wait_for_line(f'"model":"{name}"', '"said":')


def test_what_converse_has_no_place_for_is_refused_by_its_name(on_bedrock: OnBedrock) -> None:
    answer = on_bedrock.call("claude", n=2)
    error = json.loads(answer.body.read())["error"]
    assert (answer.status, error["code"]) == (400, "invalid_body")
    assert "n" in error["message"]
    counted = on_bedrock.call("claude", "/v1/messages/count_tokens")
    assert (counted.status, json.loads(counted.body.read())["error"]["type"]) == (404, "not_found_error")


@pytest.mark.parametrize("name", ["cut", "fails"])
def test_a_stream_that_breaks_ends_with_an_error(on_bedrock: OnBedrock, name: str) -> None:
    text = on_bedrock.call(name, stream=True).body.read().decode()
    assert WORDS[0] in text
    assert "[DONE]" not in text
    assert '"error":' in text.split("\n\n")[-2]


def test_no_line_of_the_log_has_an_account_or_a_key(on_bedrock: OnBedrock) -> None:
    for name in ("claude", "titan", "unknown"):
        on_bedrock.call(name).body.read()
    on_bedrock.host.wait_for_line('"model":"unknown"', "provider_status")
    printed = "\n".join(on_bedrock.host.lines)
    assert not any(secret in printed for secret in (ACCOUNT, "the/secret+key", "a-token"))
