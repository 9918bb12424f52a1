"""What clients get for the whole answers of servers."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types.chat import ChatCompletion
from openai.types.responses import Response

from support.translation import CHAT, CONVERSE, CREATED, MESSAGES, RESPONSES, Translation, translate_all

ASKED = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
THINKING = {**ASKED, "thinking": {"type": "enabled", "budget_tokens": 2000}}
FORMATTED = {**ASKED, "response_format": {"type": "json_object"}}


def chat_answer(
    message: dict[str, Any], finish: str, usage: dict[str, Any] | None = None, **choice: Any
) -> dict[str, Any]:
    written = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish, **choice}
    return {"id": "c", "model": "gpt", "choices": [written], "usage": usage}


def messages_answer(content: list[dict[str, Any]], stop: str, **more: Any) -> dict[str, Any]:
    usage = {
        "input_tokens": 10,
        "cache_read_input_tokens": 4,
        "cache_creation_input_tokens": 2,
        "output_tokens": 5,
        "output_tokens_details": {"thinking_tokens": 3},
    }
    answer = {"id": "msg_x", "type": "message", "role": "assistant", "model": "claude", "content": content}
    return {**answer, "stop_reason": stop, "stop_sequence": None, "usage": usage, **more}


def converse_answer(content: list[dict[str, Any]], stop: str) -> dict[str, Any]:
    usage = {"inputTokens": 10, "outputTokens": 5, "totalTokens": 15, "cacheReadInputTokens": 4}
    message = {"role": "assistant", "content": content}
    return {"output": {"message": message}, "stopReason": stop, "usage": usage, "metrics": {"latencyMs": 1}}


CALLS = [
    {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}},
    {"id": "b", "type": "function", "function": {"name": "g", "arguments": ""}},
]
USAGE = {
    "prompt_tokens": 20,
    "completion_tokens": 7,
    "total_tokens": 27,
    "prompt_tokens_details": {"cached_tokens": 12},
}
ANTHROPIC_USAGE = {
    "input_tokens": 8,
    "cache_creation_input_tokens": 0,
    "cache_read_input_tokens": 12,
    "output_tokens": 7,
}
THOUGHT = {"type": "thinking", "thinking": "Hm.", "signature": "s"}
TEXT = {"type": "text", "text": "Hello"}
TOOL_USE = {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}}

OF_ANTHROPIC: list[tuple[str, Translation, dict[str, Any]]] = [
    (
        "a text",
        Translation(MESSAGES, CHAT, ASKED, chat_answer({"content": "Hello"}, "stop", USAGE)),
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "gpt",
            "content": [TEXT],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": ANTHROPIC_USAGE,
        },
    ),
    (
        "tools",
        Translation(
            MESSAGES, CHAT, ASKED, chat_answer({"content": None, "tool_calls": CALLS}, "tool_calls", USAGE)
        ),
        {
            "content": [TOOL_USE, {"type": "tool_use", "id": "b", "name": "g", "input": {}}],
            "stop_reason": "tool_use",
        },
    ),
    (
        "tools whose server says stop",
        Translation(MESSAGES, CHAT, ASKED, chat_answer({"tool_calls": CALLS[:1]}, "stop")),
        {"content": [TOOL_USE], "stop_reason": "tool_use"},
    ),
    (
        "thoughts in the total alone",
        Translation(
            MESSAGES, CHAT, ASKED, chat_answer({"content": "Hello"}, "stop", {**USAGE, "total_tokens": 50})
        ),
        {"usage": {**ANTHROPIC_USAGE, "output_tokens": 30}},
    ),
    (
        "no usage",
        Translation(MESSAGES, CHAT, ASKED, chat_answer({"content": "Hello"}, "length")),
        {"stop_reason": "max_tokens", "usage": dict.fromkeys(ANTHROPIC_USAGE, 0)},
    ),
    (
        "a stop sequence",
        Translation(MESSAGES, CHAT, ASKED, chat_answer({"content": "Hello"}, "stop", stop_reason="END")),
        {"stop_reason": "stop_sequence", "stop_sequence": "END"},
    ),
    (
        "a refusal",
        Translation(MESSAGES, CHAT, ASKED, chat_answer({"content": None, "refusal": "No."}, "stop")),
        {"content": [{"type": "text", "text": "No."}], "stop_reason": "refusal"},
    ),
    (
        "what a filter removed",
        Translation(MESSAGES, CHAT, ASKED, chat_answer({"content": ""}, "content_filter")),
        {"content": [], "stop_reason": "refusal"},
    ),
    (
        "thoughts that nobody asked for",
        Translation(MESSAGES, CHAT, ASKED, chat_answer({"content": "Hello", "reasoning": "Hm."}, "stop")),
        {"content": [TEXT]},
    ),
    (
        "thoughts",
        Translation(
            MESSAGES, CHAT, THINKING, chat_answer({"content": "Hello", "reasoning_content": "Hm."}, "stop")
        ),
        {"content": [{"type": "thinking", "thinking": "Hm.", "signature": ""}, TEXT]},
    ),
    (
        "Bedrock's answer",
        Translation(
            MESSAGES,
            CONVERSE,
            THINKING,
            converse_answer(
                [
                    {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "s"}}},
                    {"reasoningContent": {"redactedContent": "eA=="}},
                    {"text": "Hello"},
                    {"toolUse": {"toolUseId": "a", "name": "f", "input": {"x": 1}}},
                ],
                "tool_use",
            ),
            options={"model": "nova"},
        ),
        {
            "model": "m",
            "content": [THOUGHT, {"type": "redacted_thinking", "data": "eA=="}, TEXT, TOOL_USE],
            "stop_reason": "tool_use",
            "usage": {
                "input_tokens": 10,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 4,
                "output_tokens": 5,
            },
        },
    ),
]
OF_CHATS: list[tuple[str, Translation, dict[str, Any]]] = [
    (
        "a text",
        Translation(CHAT, MESSAGES, ASKED, messages_answer([THOUGHT, TEXT], "end_turn")),
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": CREATED,
            "model": "claude",
            "choices": [
                {
                    "index": 0,
                    "message": {
                        "role": "assistant",
                        "content": "Hello",
                        "refusal": None,
                        "reasoning_content": "Hm.",
                    },
                    "logprobs": None,
                    "finish_reason": "stop",
                }
            ],
            "usage": {
                "prompt_tokens": 16,
                "completion_tokens": 5,
                "total_tokens": 21,
                "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
                "completion_tokens_details": {"reasoning_tokens": 3},
            },
        },
    ),
    (
        "a tool",
        Translation(CHAT, MESSAGES, ASKED, messages_answer([TOOL_USE], "tool_use")),
        {
            "finish_reason": "tool_calls",
            "message": {
                "role": "assistant",
                "content": None,
                "refusal": None,
                "tool_calls": [
                    {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}}
                ],
            },
        },
    ),
    (
        "a limit",
        Translation(CHAT, MESSAGES, ASKED, messages_answer([TEXT], "max_tokens")),
        {"finish_reason": "length"},
    ),
    (
        "a refusal",
        Translation(CHAT, MESSAGES, ASKED, messages_answer([], "refusal")),
        {"finish_reason": "content_filter"},
    ),
    (
        "JSON by a tool",
        Translation(
            CHAT,
            MESSAGES,
            FORMATTED,
            messages_answer(
                [{"type": "tool_use", "id": "a", "name": "answer_in_format", "input": {"x": 1}}], "tool_use"
            ),
        ),
        {
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": '{"x":1}', "refusal": None},
        },
    ),
    (
        "Bedrock's answer",
        Translation(
            CHAT,
            CONVERSE,
            ASKED,
            converse_answer([{"citationsContent": {"content": [{"text": "Hello"}]}}], "guardrail_intervened"),
        ),
        {
            "finish_reason": "content_filter",
            "message": {"role": "assistant", "content": "Hello", "refusal": None},
        },
    ),
]


@pytest.fixture(scope="module")
def answers() -> dict[tuple[str, str], dict[str, Any]]:
    named = [("anthropic", *case) for case in OF_ANTHROPIC] + [("chats", *case) for case in OF_CHATS]
    results = translate_all(case for _, _, case, _ in named)
    return {(kind, name): result["answer"] for (kind, name, *_), result in zip(named, results, strict=True)}


@pytest.mark.parametrize(("name", "expected"), [(name, expected) for name, _, expected in OF_ANTHROPIC])
def test_anthropics_clients_read_the_answer(
    answers: dict[tuple[str, str], dict[str, Any]], name: str, expected: dict[str, Any]
) -> None:
    answer = answers["anthropic", name]
    assert {key: answer[key] for key in expected} == expected


@pytest.mark.parametrize(("name", "expected"), [(name, expected) for name, _, expected in OF_CHATS])
def test_clients_of_chats_read_the_answer(
    answers: dict[tuple[str, str], dict[str, Any]], name: str, expected: dict[str, Any]
) -> None:
    answer = answers["chats", name]
    found = {**answer, **answer["choices"][0]}
    assert {key: found[key] for key in expected} == expected
    ChatCompletion.model_validate(answer, strict=True)


def test_clients_of_responses_read_the_answer() -> None:
    asked = {"model": "m", "input": "Hi", "tools": [{"type": "function", "name": "f", "parameters": {}}]}
    message = {"content": "Hello", "reasoning_content": "Hm.", "tool_calls": CALLS}
    cases = [
        Translation(RESPONSES, CHAT, asked, chat_answer(message, "tool_calls", USAGE)),
        Translation(RESPONSES, CHAT, asked, chat_answer({"content": "Hel"}, "length")),
    ]
    whole, cut = (result["answer"] for result in translate_all(cases))
    assert whole["output"] == [
        {
            "id": "rs_2",
            "type": "reasoning",
            "status": "completed",
            "summary": [],
            "content": [{"type": "reasoning_text", "text": "Hm."}],
        },
        {
            "id": "msg_3",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "annotations": [], "logprobs": [], "text": "Hello"}],
        },
        {
            "id": "fc_4",
            "type": "function_call",
            "status": "completed",
            "arguments": '{"x": 1}',
            "call_id": "a",
            "name": "f",
        },
        {
            "id": "fc_5",
            "type": "function_call",
            "status": "completed",
            "arguments": "{}",
            "call_id": "b",
            "name": "g",
        },
    ]
    assert (whole["id"], whole["model"], whole["status"]) == ("resp_1", "gpt", "completed")
    assert whole["tools"] == asked["tools"]
    assert whole["usage"] == {
        "input_tokens": 20,
        "input_tokens_details": {"cached_tokens": 12, "cache_write_tokens": 0},
        "output_tokens": 7,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 27,
    }
    assert (cut["status"], cut["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    assert Response.model_validate(whole).output_text == "Hello"
    Response.model_validate(cut)


PROFILE = "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/abc"


def test_callers_read_the_model_that_they_asked_for_and_no_arn() -> None:
    answer = converse_answer([{"text": "Hello"}], "end_turn")
    (result,) = translate_all([Translation(CHAT, CONVERSE, ASKED, answer=answer, options={"model": PROFILE})])
    assert result["answer"]["model"] == "m"


@pytest.mark.parametrize("stop", ["malformed_model_output", "malformed_tool_use"])
def test_what_bedrock_calls_malformed_is_no_answer(stop: str) -> None:
    with pytest.raises(AssertionError, match="malformed"):
        translate_all([Translation(CHAT, CONVERSE, ASKED, answer=converse_answer([{"text": "H"}], stop))])
