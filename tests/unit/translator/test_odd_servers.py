"""Answers that are not quite those of an API, as servers that claim to speak it send them."""

from __future__ import annotations

from typing import Any

import pytest

from support.translation import Translation, frame, named_sse, read_events, sse, translate_all

ASK: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}
MESSAGE = {**ASK, "max_tokens": 9}
STREAM = {"stream": True}
CALL = {"index": 0, "id": "call_1", "type": "function"}


def _delta(delta: Any, finish: str | None = None) -> dict[str, Any]:
    return {"id": "x", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


TEXTS: dict[str, tuple[Any, ...]] = {
    "no tokens": (_delta({"content": "a"}), {**_delta({}, "stop"), "usage": None}, "[DONE]"),
    "tokens without numbers": (
        _delta({"content": "a"}, "stop"),
        {"choices": [], "usage": {"prompt_tokens": None, "completion_tokens": None}},
        "[DONE]",
    ),
    "nothing in a list": ({"choices": None}, _delta(None), _delta({"content": "a"}, "stop"), "[DONE]"),
    "null instead of an event": ("null", _delta({"content": "a"}, "stop"), "[DONE]"),
    "no error": ({**_delta({"content": "a"}, "stop"), "error": None}, "[DONE]"),
    "no end": (_delta({"content": "a"}, "stop"),),
    "thoughts of another name": (
        _delta({"reasoning_details": []}),
        _delta({"content": "a"}, "stop"),
        "[DONE]",
    ),
}
"""What a server of chats sends that says `a`."""

WHOLE: dict[str, tuple[str, Any]] = {
    "chats": (
        "openai-chat",
        {
            "choices": [{"message": {"role": "assistant", "content": "a"}, "finish_reason": "stop"}],
            "usage": None,
        },
    ),
    "messages": (
        "anthropic-messages",
        {"content": [{"type": "text", "text": "a"}], "stop_reason": "end_turn", "usage": None},
    ),
    "Converse": (
        "bedrock-converse",
        {"output": {"message": {"content": [{"text": "a"}]}}, "stopReason": "end_turn"},
    ),
}
"""Servers, and what they answer without a word of tokens."""


@pytest.fixture(scope="module")
def answers() -> dict[str, dict[str, Any]]:
    """The results of all translations, by what is odd: one process of Node."""
    cases = {
        name: Translation("anthropic-messages", "openai-chat", {**MESSAGE, **STREAM}, pieces=[sse(*events)])
        for name, events in TEXTS.items()
    }
    for name, (server, answer) in WHOLE.items():
        cases[name] = Translation("openai-responses", server, {"model": "m", "input": "Hello"}, answer=answer)
    cases["a tool without a function"] = Translation(
        "anthropic-messages",
        "openai-chat",
        {**MESSAGE, **STREAM},
        pieces=[
            sse(
                _delta({"tool_calls": [{**CALL, "function": {"name": "f", "arguments": None}}]}),
                _delta({"tool_calls": [{"index": 0, "function": None}]}),
                _delta({}, "tool_calls"),
                "[DONE]",
            )
        ],
    )
    start = {"type": "message_start", "message": {"model": "m", "usage": None}}
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    text = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "a"}}
    stop = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": None}
    events = (start, block, text, stop, {"type": "message_stop"})
    cases["messages streamed"] = Translation(
        "openai-chat", "anthropic-messages", {**ASK, **STREAM}, pieces=[named_sse(*events)]
    )
    frames = (
        frame("messageStart", {"role": "assistant"}),
        frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "a"}}),
        frame("messageStop", {"stopReason": "end_turn"}),
        frame("metadata", {"usage": None}),
    )
    cases["Converse streamed"] = Translation(
        "openai-chat", "bedrock-converse", {**ASK, **STREAM}, pieces=[b"".join(frames)]
    )
    return dict(zip(cases, translate_all(cases.values()), strict=True))


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_is_read(answers: dict[str, dict[str, Any]], name: str) -> None:
    events = read_events(answers[name])
    said = [event["delta"]["text"] for event in events if event["type"] == "content_block_delta"]
    assert (said, events[-1]["type"]) == (["a"], "message_stop")


@pytest.mark.parametrize("name", WHOLE)
def test_an_answer_without_tokens_is_one(answers: dict[str, dict[str, Any]], name: str) -> None:
    response = answers[name]["answer"]
    assert response["output"][0]["content"][0]["text"] == "a"
    assert response["usage"]["total_tokens"] == 0


@pytest.mark.parametrize("name", ["messages streamed", "Converse streamed"])
def test_a_stream_without_tokens_is_one(answers: dict[str, dict[str, Any]], name: str) -> None:
    events = read_events(answers[name])
    assert events[-1] == {"type": "DONE"}
    assert [delta for event in events[:-1] if (delta := event["choices"][0]["delta"].get("content"))] == ["a"]


def test_a_tool_may_be_told_again_without_its_function(answers: dict[str, dict[str, Any]]) -> None:
    events = read_events(answers["a tool without a function"])
    (block,) = (event["content_block"] for event in events if event["type"] == "content_block_start")
    assert (block["name"], events[-1]["type"]) == ("f", "message_stop")
