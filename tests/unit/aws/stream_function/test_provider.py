"""Models that a provider hosts: the key is added, the answers are counted, the errors are reworded."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.api import error_shape as errors
from support.anthropic_answers import TEXT as TEXT_OF_CLAUDE
from support.hosted_function import ASK, ELSEWHERE, SECRET, HostedFunction, start_hosted_function
from support.openai_answers import USAGE, WORDS
from support.provider import KEY, ORDINARY, ORGANIZATION
from support.stream_host import StreamAnswer, build_event
from support.stream_host.script import run_script

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.background import Background

pytestmark = pytest.mark.slow
TEXT = "".join(WORDS)
TOKENS = {"tokens_in": 19, "tokens_cached": 4, "tokens_out": 10}
CHAT_PATH = "/v1/chat/completions"


@pytest.fixture(scope="module")
def hosted(loop: Background, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostedFunction]:
    with start_hosted_function(loop, tmp_path_factory.mktemp("hosted"), idle_seconds=1) as hosted:
        yield hosted


def error_of(answer: StreamAnswer) -> tuple[int, Any]:
    return answer.status, json.loads(answer.body.read())["error"]


def test_the_key_is_added_and_nothing_of_the_caller_but_the_body(hosted: HostedFunction) -> None:
    body = '{ "messages":[{"role":"user","content":"\\u00fc"}],"model" : "e-gpt-fake", "seed": 1.50 }'
    headers = {
        "Authorization": "Bearer mine",
        "X-Api-Key": "mine",
        "Accept-Encoding": "gzip",
        "Content-Type": "text/plain",
    }
    answer = hosted.send(CHAT_PATH, body, headers)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert json.loads(answer.body.read())["choices"][0]["message"]["content"] == TEXT
    call = hosted.provider.seen[-1]
    sent = {name.lower(): value for name, value in call.headers.items()}
    assert sent.pop("authorization") == f"Bearer {KEY}"
    assert call.body == body.replace("e-gpt-fake", "gpt-fake").encode()
    assert sorted(sent) == ["connection", "content-length", "content-type", "host"]
    assert sent["content-type"] == "application/json"


@pytest.mark.parametrize("path", [CHAT_PATH, "/{name}", "/v1/completions"])
def test_a_whole_answer_keeps_its_bytes_and_is_counted(hosted: HostedFunction, path: str) -> None:
    answer = json.loads(hosted.call(path=path, request_id=f"whole{path}").body.read())
    assert (answer["choices"][0]["message"]["content"], answer["usage"]) == (TEXT, USAGE)
    assert hosted.logged(f"whole{path}") == TOKENS


def test_the_other_apis_are_called_below_the_same_address(hosted: HostedFunction) -> None:
    vectors = json.loads(hosted.call(path="/v1/embeddings", request_id="vectors", input="a").body.read())
    assert vectors["data"][0]["embedding"] == [0.25, -0.5]
    assert hosted.logged("vectors") == {"tokens_in": 8}
    hosted.call("capped", "/v1/responses", request_id="response", input="a").body.read()
    assert (hosted.provider.seen[-1].path, hosted.sent["max_output_tokens"]) == ("/v1/responses", 50)
    assert hosted.logged("response") == {"tokens_in": 36, "tokens_cached": 3, "tokens_out": 87}
    hosted.call("capped", "/v1/messages/count_tokens").body.read()
    assert hosted.provider.seen[-1].path == "/v1/messages/count_tokens"
    assert "max_tokens" not in hosted.sent


def test_anthropics_own_api_is_called_with_its_own_headers(hosted: HostedFunction) -> None:
    message = json.loads(hosted.call("native", "/v1/messages", max_tokens=9).body.read())
    assert message["content"] == [{"type": "text", "text": TEXT_OF_CLAUDE}]
    headers = hosted.provider.seen[-1].headers
    assert (headers["x-api-key"], headers["anthropic-version"]) == (KEY, "2023-06-01")
    assert "authorization" not in map(str.lower, headers)


def test_the_betas_that_anthropics_client_names_reach_its_api(hosted: HostedFunction) -> None:
    body = {"model": "e-native", "max_tokens": 9, "context_management": {"edits": []}, **ASK}
    betas = {"Anthropic-Beta": "a,context-management-2025-06-27", "Anthropic-Version": "2026-10-21"}
    assert hosted.send("/v1/messages", json.dumps(body), {"X-Api-Key": "mine"}).status == 400
    assert hosted.send("/v1/messages", json.dumps(body), {"X-Api-Key": "mine", **betas}).status == 200
    seen = {name.lower(): value for name, value in hosted.provider.seen[-1].headers.items()}
    assert {name.lower(): value for name, value in betas.items()}.items() <= seen.items()
    assert seen["x-api-key"] == KEY
    chat = json.dumps({"model": "e-native", **ASK})
    assert hosted.send(CHAT_PATH, chat, betas).status == 200
    translated = hosted.provider.seen[-1].headers
    assert "anthropic-beta" not in map(str.lower, translated)
    assert translated["anthropic-version"] == "2023-06-01", "the translator writes that one"


def events_of(answer: StreamAnswer) -> list[Any]:
    assert (answer.status, answer.headers["content-type"].partition(";")[0]) == (200, "text/event-stream")
    lines = [line.removeprefix("data: ") for line in answer.body.read().decode().split("\n\n") if line]
    assert lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines[:-1]]


def test_a_stream_is_counted_and_its_caller_sees_no_event_for_which_it_did_not_ask(
    hosted: HostedFunction,
) -> None:
    events = events_of(hosted.call(request_id="streamed", stream=True))
    assert hosted.sent["stream_options"] == {"include_usage": True}
    assert "".join(event["choices"][0]["delta"].get("content", "") for event in events) == TEXT
    assert hosted.logged("streamed") == TOKENS


def test_a_caller_who_asks_sees_the_tokens_and_other_options_stay(hosted: HostedFunction) -> None:
    asked = {"include_usage": True, "include_obfuscation": False}
    events = events_of(hosted.call(stream=True, stream_options=asked))
    assert [event["usage"] for event in events] == [None] * 5 + [USAGE]
    events_of(hosted.call(stream=True, stream_options={"include_obfuscation": False}))
    assert hosted.sent["stream_options"] == {"include_obfuscation": False, "include_usage": True}


def test_a_stream_with_tools_streams_their_arguments(hosted: HostedFunction) -> None:
    tools = [{"type": "function", "function": {"name": "get_weather"}}]
    (first, last) = events_of(hosted.call(stream=True, tools=tools))
    assert first["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"] == '{"city": "Bern"}'
    assert last["choices"][0]["finish_reason"] == "tool_calls"


@pytest.mark.parametrize("model", ["uncounted", "unended"])
def test_the_last_event_of_a_stream_needs_no_blank_line(hosted: HostedFunction, model: str) -> None:
    text = hosted.call(model, stream=True).body.read().decode()
    assert text.count("data: ") == 5
    assert '"prompt_tokens"' not in text


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ({}, {"max_completion_tokens": 50}),
        ({"max_tokens": 51}, {"max_tokens": 50}),
        ({"max_tokens": 9}, {"max_tokens": 9}),
        ({"max_tokens": "900"}, {"max_tokens": 50}),
        ({"max_tokens": -1}, {"max_tokens": 50}),
        ({"max_tokens": None}, {"max_tokens": 50}),
        ({"max_tokens": 9, "max_completion_tokens": 900}, {"max_tokens": 9, "max_completion_tokens": 50}),
    ],
)
def test_an_answer_is_kept_to_the_entrys_limit(hosted: HostedFunction, asked: Any, sent: Any) -> None:
    assert hosted.call("capped", **asked).status == 200
    assert {name: value for name, value in hosted.sent.items() if name.startswith("max")} == sent


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ('{"model": "e-capped", "max_tokens": 1000, "max_tokens": 1}', 'the key "max_tokens" twice.'),
        ('{"model": "e-capped", "MAX_TOKENS": 1}', 'the key "MAX_TOKENS": write "max_tokens".'),
        ('{"model": "e-capped", "Model": "gpt-5"}', 'the key "Model": write "model".'),
        ('{"model": "e-capped", "models": ["gpt-5"]}', "'models' is not taken"),
        ("[]", "must be a JSON object"),
    ],
)
def test_a_body_that_servers_read_differently_is_refused(
    hosted: HostedFunction, body: str, says: str
) -> None:
    for path in (CHAT_PATH, "/e-capped"):
        status, error = error_of(hosted.send(path, body))
        assert (status, error["code"]) == (400, "invalid_body")
        assert says in error["message"]


NOTE = """
import { noteUsage } from "./provider_answers.mjs";
const noted = input.map((usage) => { const tokens = {}; noteUsage({ usage }, tokens); return tokens; });
console.log(JSON.stringify(noted));
"""


def test_thoughts_in_the_total_alone_count_and_so_does_a_total_alone() -> None:
    reports = [
        {"prompt_tokens": 8, "completion_tokens": 3, "total_tokens": 20},
        {"prompt_tokens": 8, "total_tokens": 8},
        {"total_tokens": 8},
    ]
    assert run_script(NOTE, reports) == [
        {"tokens_in": 8, "tokens_out": 12},
        {"tokens_in": 8},
        {"tokens_in": 8},
    ]


def test_a_refused_key_is_no_fault_of_the_caller(hosted: HostedFunction) -> None:
    hosted.provider.keys.clear()
    try:
        for stream in (False, True):
            answer = hosted.call(stream=stream, request_id="refused")
            text = answer.body.read().decode()
            assert (answer.status, json.loads(text)["error"]["code"]) == (502, "provider_refused_key")
            assert not any(secret in text for secret in (KEY, KEY[-4:], KEY[:8], ORGANIZATION))
    finally:
        hosted.provider.keys.add(KEY)
    hosted.host.wait_for_line('"provider_status":401', "Incorrect API key provided: (hidden)")
    for model in ("forbidden", "keyless", "worded"):
        assert error_of(hosted.call(model))[1]["code"] == "provider_refused_key"


def test_too_many_requests_pass_with_their_pause(hosted: HostedFunction) -> None:
    for path, stream in ((CHAT_PATH, False), (CHAT_PATH, True), ("/{name}", False)):
        answer = hosted.call("limited", path, stream=stream)
        status, error = error_of(answer)
        assert (status, answer.headers["retry-after"]) == (429, "7")
        assert error["code"] == "rate_limit_exceeded"
        assert "in organization (hidden) on tokens" in error["message"]


def test_an_error_in_openais_shape_keeps_it(hosted: HostedFunction) -> None:
    message = "The server had an error ((hidden))."
    error = {"message": message, "type": "server_error", "param": None, "code": None}
    assert error_of(hosted.call("broken")) == (500, error)
    status, error = error_of(hosted.call("unheard-of"))
    assert (status, error["code"]) == (404, "model_not_found")
    assert error_of(hosted.call("wordy"))[1]["message"] == f"{ORDINARY}, not (hidden) or (hidden)."


def test_any_other_error_is_put_into_the_one_shape(hosted: HostedFunction) -> None:
    status, page = error_of(hosted.call("page"))
    assert (status, page["code"], page["message"]) == (503, "model_failed", errors.MODEL_FAILED.message)
    status, detail = error_of(hosted.call("detail"))
    assert (status, detail["code"], detail["message"]) == (422, "model_refused", 'no "such" field')
    answer = hosted.call("moved")
    assert (error_of(answer)[0], "location" in answer.headers) == (502, False)


def test_under_v1_messages_errors_have_the_shape_of_anthropics_api(hosted: HostedFunction) -> None:
    answer = hosted.call("limited", "/v1/messages")
    body = json.loads(answer.body.read())
    assert (answer.status, answer.headers["retry-after"]) == (429, "7")
    assert (body["type"], body["error"]["type"]) == ("error", "rate_limit_error")
    assert answer.headers["request-id"] == body["request_id"] == "the-request"
    assert "(hidden)" in body["error"]["message"]
    *_, last, _ = hosted.call("cut", "/v1/messages", stream=True).body.read().decode().split("\n\n")
    assert last.startswith('event: error\ndata: {"type":"error","error":{"type":"api_error"')


def test_clients_of_other_apis_are_served_by_translation(hosted: HostedFunction) -> None:
    asked = {"max_tokens": 9, "tools": [{"name": "get_weather", "input_schema": {"type": "object"}}]}
    answer = hosted.call("chats", "/v1/messages", request_id="translated", **asked)
    message = json.loads(answer.body.read())
    assert (message["content"][0]["name"], message["stop_reason"]) == ("get_weather", "tool_use")
    assert (hosted.provider.seen[-1].path, hosted.sent["model"]) == (CHAT_PATH, "gpt-fake")
    assert hosted.sent["max_completion_tokens"] == 9
    assert hosted.logged("translated") == TOKENS
    text = hosted.call("chats", "/v1/messages", request_id="events", stream=True, **asked).body.read()
    assert b"event: message_stop" in text
    assert hosted.logged("events") == TOKENS
    event = build_event("/v1/responses", {"model": "e-chats", "input": "What is AWS?"})
    response = json.loads(hosted.host.invoke(event).body.read())
    assert response["output"][0]["content"][0]["text"] == TEXT


def test_what_cannot_be_translated_is_refused_in_the_callers_shape(hosted: HostedFunction) -> None:
    answer = hosted.call("chats", "/v1/messages", max_tokens=9, top_k=5)
    body = json.loads(answer.body.read())
    assert (answer.status, body["type"]) == (400, "error")
    assert "top_k" in body["error"]["message"]
    for path in ("/v1/messages/count_tokens", "/v1/completions"):
        assert hosted.call("chats", path).status == 404


def test_an_answer_that_breaks_off_is_an_error_and_a_stream_that_does_ends_with_one(
    hosted: HostedFunction,
) -> None:
    status, error = error_of(hosted.call("cut"))
    assert (status, error["code"]) == (502, "model_failed")
    *_, said, last, _ = hosted.call("cut", stream=True).body.read().decode().split("\n\n")
    assert "Cloud" in said
    assert json.loads(last.removeprefix("data: "))["error"]["code"] == "model_failed"


def test_an_error_within_a_stream_tells_nothing_of_the_customer(hosted: HostedFunction) -> None:
    for model, path in (("late", CHAT_PATH), ("late", "/{name}")):
        text = hosted.call(model, path, stream=True).body.read().decode()
        assert "The server had an error (request of (hidden))." in text
        assert ORGANIZATION not in text


def test_a_provider_that_is_silent_is_too_slow(hosted: HostedFunction) -> None:
    status, error = error_of(hosted.call("slow"))
    assert (status, error["code"]) == (504, "model_too_slow")


@pytest.mark.parametrize(
    ("model", "why"),
    [
        ("foreign", "ERR_TLS_CERT_ALTNAME_INVALID"),
        ("closed", "ECONNREFUSED"),
        ("empty", "ResourceNotFoundException"),
        ("strange", "it holds something else than a key"),
    ],
)
def test_what_cannot_be_called_is_not_ready_and_the_log_says_why(
    hosted: HostedFunction, model: str, why: str
) -> None:
    answer = hosted.call(model, request_id=model)
    assert answer.headers["retry-after"] == "2"
    assert error_of(answer) == (503, {**error_of(hosted.call(model))[1], "request_id": model})
    hosted.host.wait_for_line(model, why)


def test_a_replaced_key_counts_with_the_next_call(hosted: HostedFunction) -> None:
    assert hosted.call("rotated").status == 200
    replacement = "sk-another-key-of-the-organizer"
    hosted.provider.keys = {replacement}
    hosted.secrets.values[ELSEWHERE] = replacement
    before = len(hosted.secrets.asked)
    try:
        assert [hosted.call("rotated").status for _ in range(3)] == [200, 200, 200]
    finally:
        hosted.provider.keys = {KEY, replacement}
    assert hosted.secrets.asked[before:] == [ELSEWHERE]


def test_a_key_is_read_once_a_minute_by_a_signed_call(hosted: HostedFunction) -> None:
    assert hosted.call().status == 200
    asked = len(hosted.secrets.asked)
    assert [hosted.call().status for _ in range(3)] == [200, 200, 200]
    assert len(hosted.secrets.asked) == asked
    assert SECRET in hosted.secrets.asked
    assert hosted.secrets.keys.refused == []


def test_an_alias_and_an_entry_that_a_team_may_not_call(hosted: HostedFunction) -> None:
    event = build_event(CHAT_PATH, {"model": "gpt-4o", **ASK})
    event["requestContext"]["authorizer"] = {"refused": '["e-closed"]'}
    status, error = error_of(hosted.host.invoke(event))
    assert (status, error["code"]) == (403, "not_allowed")


def test_health_asks_whether_the_provider_takes_the_key(hosted: HostedFunction) -> None:
    answer = hosted.host.invoke(build_event("/health", method="GET"))
    unready = json.loads(answer.body.read())["unready"]
    assert answer.status == 503
    assert unready == dict.fromkeys(("e-closed", "e-empty", "e-foreign", "e-strange"), "is not ready")


def test_no_line_of_the_log_has_a_key(hosted: HostedFunction) -> None:
    for model in ("forbidden", "keyless", "worded", "empty"):
        hosted.call(model, request_id=f"log-{model}").body.read()
        hosted.host.wait_for_line(f"log-{model}")
    assert any("provider_status" in line for line in hosted.host.lines)
    printed = "\n".join(hosted.host.lines)
    assert not any(secret in printed for secret in (KEY, KEY[-10:], ORGANIZATION, "the/secret+key"))
