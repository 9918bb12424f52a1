"""`POST /v1/chat/completions`, for each language that a model's server may speak."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from support.model_server import answer, exit_at_once
from support.streaming import Gate, start_streaming, streams

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.background import Background
    from support.stream_host import StreamAnswer
    from support.streaming import Streaming

JSON = {"Content_Type": "application/json"}
TGI = "text-generation-inference"


@pytest.fixture(scope="module")
def limited_server(loop: Background) -> Iterator[Streaming]:
    with start_streaming(loop, max_output_tokens=100) as streaming:
        yield streaming


@pytest.fixture
def limited(limited_server: Streaming) -> Streaming:
    """Entries whose answers have 100 tokens at most."""
    limited_server.model.asked.clear()
    return limited_server


def asked_body(streaming: Streaming) -> Any:
    (asked,) = streaming.model.asked
    return json.loads(asked.body)


def completion(reply: StreamAnswer) -> Any:
    text = reply.body.read()
    assert reply.status == 200, text
    return json.loads(text)


def events(reply: StreamAnswer) -> list[Any]:
    """The values of a stream that ended as OpenAI's do."""
    *found, done, end = reply.body.read().decode().split("\n\n")
    assert (reply.status, done, end) == (200, "data: [DONE]", "")
    assert reply.headers["content-type"] == "text/event-stream; charset=utf-8"
    return [json.loads(finding.removeprefix("data: ")) for finding in found]


def said(chunks: list[Any]) -> str:
    return "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks if chunk["choices"])


def token(text: str, **more: Any) -> bytes:
    return b"data:" + json.dumps({"token": {"text": text, "special": False}, **more}).encode() + b"\n\n"


@pytest.mark.slow
def test_a_server_of_openais_bodies_gets_all_but_our_name_and_answers_for_itself(
    streaming: Streaming,
) -> None:
    sent = b'{"odd":   1, "choices": []}'
    streaming.model.answering = answer(200, sent, **JSON)
    tools = [{"type": "function", "function": {"name": "f"}}]
    reply = streaming.chat("openai-chat", "Hi", temperature=0.5, tools=tools)
    assert reply.body.read() == sent
    assert asked_body(streaming) == {
        "messages": [{"role": "user", "content": "Hi"}], "temperature": 0.5, "tools": tools,
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("asked", "passed_on"),
    [
        ({}, {"max_tokens": 100}),
        ({"max_tokens": None}, {"max_tokens": 100}),
        ({"max_tokens": 7}, {"max_tokens": 7}),
        ({"max_tokens": 101}, {"max_tokens": 100}),
        ({"max_tokens": -1}, {"max_tokens": 100}),
        ({"max_completion_tokens": 500}, {"max_completion_tokens": 100}),
        ({"max_completion_tokens": 5, "max_tokens": 500}, {"max_completion_tokens": 5, "max_tokens": 100}),
        ({"n_predict": 500}, {"n_predict": 100, "max_tokens": 100}),
    ],
)
def test_an_answer_has_at_most_the_tokens_of_its_entry(
    limited: Streaming, asked: dict[str, Any], passed_on: dict[str, int]
) -> None:
    limited.model.answering = answer(200, b"{}", **JSON)
    limited.chat("openai-chat", "Hi", **asked).body.read()
    assert asked_body(limited) == {"messages": [{"role": "user", "content": "Hi"}], **passed_on}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("asked", "passed_on"), [({}, 100), ({"max_tokens": 500}, 100), ({"max_tokens": 7}, 7)]
)
def test_the_limit_is_translated_too(limited: Streaming, asked: dict[str, Any], passed_on: int) -> None:
    limited.model.answering = answer(200, b'[{"generated_text": "A cloud."}]', **JSON)
    limited.chat(TGI, "Hi", **asked).body.read()
    assert asked_body(limited)["parameters"]["max_new_tokens"] == passed_on


@pytest.mark.slow
def test_it_gets_the_callers_own_bytes(streaming: Streaming) -> None:
    streaming.model.answering = answer(200, b"{}", **JSON)
    deep = "[" * 1_000 + "]" * 1_000
    messages = '[{"role":"user","content":"é"}]'
    rest = f'"seed": 18446744073709551615, "t": 1.0,\n "messages": {messages}, "x": {deep}'
    body = f'{{"model": "openai-chat", "max_tokens": -1, {rest}, "top_p": null}}'.encode()
    assert streaming.call("/v1/chat/completions", body).status == 200
    (asked,) = streaming.model.asked
    assert asked.body.decode() == f'{{{rest}, "top_p": null}}'


@pytest.mark.slow
def test_a_plain_server_gets_the_seed_as_it_is_and_nothing_for_a_null(streaming: Streaming) -> None:
    streaming.model.answering = answer(200, b'{"generated_text": "ok"}', **JSON)
    body = {"model": TGI, "messages": [{"role": "user", "content": "Hi"}], "seed": 2**64 - 1}
    nulls = dict.fromkeys(("top_p", "temperature", "n", "tools", "response_format", "stream", "max_tokens"))
    asked = {**body, **nulls, "stop": [None, "x"]}
    assert streaming.call("/v1/chat/completions", asked).status == 200
    assert asked_body(streaming)["parameters"] == {
        "max_new_tokens": 512, "return_full_text": False, "details": True, "seed": 2**64 - 1, "stop": ["x"],
    }  # fmt: skip


@pytest.mark.slow
def test_an_older_container_gets_a_number_that_ends(streaming: Streaming) -> None:
    streaming.model.answering = answer(200, b'{"generated_texts": ["ok"]}', **JSON)
    streaming.chat("text-inputs", "Hi", max_tokens=10**9).body.read()
    assert asked_body(streaming)["max_new_tokens"] == 4096


@pytest.mark.slow
def test_its_stream_passes_event_by_event(streaming: Streaming, loop: Background) -> None:
    gate = Gate(loop)
    streaming.model.answering = gate
    body = streaming.chat("openai-chat", "Hi", stream=True).body
    assert next(body) == b"data: one\n\n"
    gate.open()
    assert body.read() == b"data: two\n\n"


@pytest.mark.slow
def test_tgi_whole(streaming: Streaming) -> None:
    details = {"finish_reason": "length", "generated_tokens": 4, "prefill": [{}, {}, {}]}
    streaming.model.answering = answer(
        200, json.dumps([{"generated_text": " A cloud.", "details": details}]).encode(), **JSON
    )
    found = completion(streaming.chat(TGI, "What is AWS?", max_tokens=4, temperature=0.2, top_p=0.9, seed=7))
    assert (found["object"], found["model"]) == ("chat.completion", TGI)
    (choice,) = found["choices"]
    assert choice["message"] == {"role": "assistant", "content": "A cloud."}
    assert choice["finish_reason"] == "length"
    assert found["usage"] == {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    assert asked_body(streaming) == {
        "inputs": "What is AWS?",
        "parameters": {
            "max_new_tokens": 4, "return_full_text": False, "details": True, "do_sample": True,
            "temperature": 0.2, "top_p": 0.9, "seed": 7,
        },
    }  # fmt: skip


@pytest.mark.slow
def test_a_conversation_becomes_one_text_that_ends_where_the_assistant_speaks(streaming: Streaming) -> None:
    streaming.model.answering = answer(200, b'{"generated_text": " Three.\\nUser: and 2+2?"}', **JSON)
    turns = (("system", "Be brief."), ("user", "1+1?"), ("assistant", "Two."), ("user", "1+2?"))
    found = completion(streaming.chat(TGI, *turns, stop="!", temperature=0))
    asked = asked_body(streaming)
    assert asked["inputs"] == "Be brief.\n\nUser: 1+1?\nAssistant: Two.\nUser: 1+2?\nAssistant:"
    assert asked["parameters"]["stop"] == ["!", "\nUser:"]
    assert asked["parameters"]["do_sample"] is False
    assert found["choices"][0]["message"]["content"] == "Three."


@pytest.mark.parametrize("kind", ["text/event-stream", "application/jsonlines"])
@pytest.mark.slow
def test_tgi_streams_tokens_and_lmi_lines(streaming: Streaming, kind: str) -> None:
    details = {"finish_reason": "eos_token", "generated_tokens": 3, "input_length": 2}
    last = token("</s>", generated_text=" A cloud", details=details).replace(b"false", b"true")
    pieces = [token(" A"), token(" clo"), token("ud"), last]
    if kind != "text/event-stream":
        pieces = [piece.removeprefix(b"data:").replace(b"\n\n", b"\n") for piece in pieces]
    streaming.model.answering = streams(*pieces, kind=kind)
    chunks = events(streaming.chat(TGI, "Hi", stream=True, stream_options={"include_usage": True}))
    assert asked_body(streaming)["stream"] is True
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert said(chunks) == "A cloud"
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"] == {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5}
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert len({chunk["id"] for chunk in chunks}) == 1


@pytest.mark.slow
def test_a_stream_of_a_server_that_does_not_count_has_an_estimate(streaming: Streaming) -> None:
    streaming.model.answering = streams(token(" A"), token(" cloud"))
    chunks = events(streaming.chat(TGI, "What?", stream=True, stream_options={"include_usage": True}))
    assert chunks[-1]["usage"] == {"prompt_tokens": 2, "completion_tokens": 2, "total_tokens": 4}


@pytest.mark.slow
def test_what_the_server_counts_wins_over_the_estimate(streaming: Streaming) -> None:
    details = {"finish_reason": "length", "generated_tokens": 40}
    body = json.dumps({"generated_text": "ok", "details": details}).encode()
    streaming.model.answering = answer(200, body, **JSON)
    found = completion(streaming.chat(TGI, "What is AWS?"))
    assert found["usage"] == {"prompt_tokens": 3, "completion_tokens": 40, "total_tokens": 43}


@pytest.mark.slow
def test_the_first_token_arrives_before_the_second_is_made(streaming: Streaming, loop: Background) -> None:
    gate = Gate(loop, token("one"), token("two"))
    streaming.model.answering = gate
    body = streaming.chat(TGI, "Hi", stream=True).body
    text = next(body)
    while b'"one"' not in text:
        text += next(body)
    gate.open()
    assert b'"two"' in body.read()


@pytest.mark.slow
def test_a_stop_sequence_over_two_tokens_is_not_shown(streaming: Streaming) -> None:
    streaming.model.answering = streams(token("yes"), token("\nUs"), token("er: more"), token("\nUs"))
    chunks = events(streaming.chat(TGI, ("system", "s"), ("user", "u"), stream=True))
    assert said(chunks) == "yes"


@pytest.mark.slow
def test_the_beginning_of_a_stop_sequence_that_is_none_is_shown(streaming: Streaming) -> None:
    streaming.model.answering = streams(token("\n yes\nUs"), token(" both"), token("\nU"))
    chunks = events(streaming.chat(TGI, ("system", "s"), ("user", "u"), stream=True))
    assert said(chunks) == "yes\nUs both\nU"


@pytest.mark.slow
def test_text_inputs_whole(streaming: Streaming) -> None:
    streaming.model.answering = answer(200, b'{"generated_texts": ["What is AWS? A cloud."]}', **JSON)
    found = completion(streaming.chat("text-inputs", "What is AWS?", max_completion_tokens=9))
    assert asked_body(streaming) == {"text_inputs": "What is AWS?", "max_new_tokens": 9}
    assert found["choices"][0]["message"]["content"] == "A cloud."
    assert found["usage"] == {"prompt_tokens": 3, "completion_tokens": 3, "total_tokens": 6}, "by length"


@pytest.mark.slow
@pytest.mark.parametrize("alias", ["gpt-4", "org/gpt:4"])
def test_an_alias_reaches_its_entry_which_the_answer_names(streaming: Streaming, alias: str) -> None:
    streaming.model.answering = answer(200, b'{"generated_texts": ["A cloud."]}', **JSON)
    assert completion(streaming.chat(alias, "Hi"))["model"] == "text-inputs"
    streaming.model.asked.clear()
    assert {chunk["model"] for chunk in events(streaming.chat(alias, "Hi", stream=True))} == {"text-inputs"}
    unknown = streaming.chat(f"{alias}x", "Hi")
    text = unknown.body.read().decode()
    assert (unknown.status, alias in text) == (404, False)


@pytest.mark.slow
def test_text_inputs_streams_its_text_in_one_piece(streaming: Streaming) -> None:
    streaming.model.answering = answer(200, b'{"generated_texts": ["A cloud."]}', **JSON)
    chunks = events(streaming.chat("text-inputs", "Hi", stream=True))
    assert "stream" not in asked_body(streaming)
    assert said(chunks) == "A cloud."
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"


@pytest.mark.slow
def test_an_error_after_the_first_token_is_the_last_event(streaming: Streaming) -> None:
    streaming.model.answering = streams(token("one"), b'data: {"tok', then=exit_at_once)
    *_, last, end = streaming.chat(TGI, "Hi", stream=True).body.read().decode().split("\n\n")
    error = json.loads(last.removeprefix("data: "))["error"]
    assert (error["code"], error["request_id"], end) == ("model_failed", "the-request", "")


@pytest.mark.slow
def test_an_error_that_the_server_streams_is_told(streaming: Streaming) -> None:
    streaming.model.answering = streams(token("one"), b'data: {"error": "overloaded"}\n\n')
    assert b'"message":"overloaded"' in streaming.chat(TGI, "Hi", stream=True).body.read()


@pytest.mark.parametrize(
    ("entry", "garbage"),
    [(TGI, b"<html>"), (TGI, b'{"odd": 1}'), (TGI, b"[]"), ("text-inputs", b"[]"), ("text-inputs", b"null")],
)
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.slow
def test_an_answer_of_another_form_is_the_models_fault(
    streaming: Streaming, entry: str, garbage: bytes, *, stream: bool
) -> None:
    streaming.model.answering = answer(200, garbage, **JSON)
    reply = streaming.chat(entry, "Hi", stream=stream)
    assert reply.status == 502
    assert b"model_failed" in reply.body.read()


@pytest.mark.parametrize(
    "asked",
    [
        {"messages": []},
        {"messages": "Hi"},
        {"messages": [{"role": "tool", "content": "x"}]},
        {"messages": [{"role": "constructor", "content": "x"}]},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
        {"messages": [{"role": "user", "content": None}]},
        {"messages": [None]},
        {"messages": [{"role": "user", "content": "x"}], "n": 2},
        {"messages": [{"role": "user", "content": "x"}], "tools": [{}]},
        {"messages": [{"role": "user", "content": "x"}], "response_format": {"type": "json_object"}},
    ],
)
@pytest.mark.slow
def test_what_a_plain_server_cannot_do_is_refused_before_it_is_asked(
    streaming: Streaming, asked: dict[str, Any]
) -> None:
    reply = streaming.call("/v1/chat/completions", {"model": TGI, **asked})
    assert reply.status == 400
    assert json.loads(reply.body.read())["error"]["code"] == "invalid_body"
    assert streaming.model.asked == []


@pytest.mark.slow
def test_texts_in_parts_are_one_text(streaming: Streaming) -> None:
    streaming.model.answering = answer(200, b'{"generated_text": "ok"}', **JSON)
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    messages = [{"role": "user", "content": parts}]
    assert streaming.call("/v1/chat/completions", {"model": TGI, "messages": messages}).status == 200
    assert asked_body(streaming)["inputs"] == "a\nb"
