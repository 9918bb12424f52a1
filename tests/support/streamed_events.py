"""Streams of events in the APIs that the translator knows, and what reads them."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter

from support.translation import (
    frame,
    sse,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

ASKED = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "Hi"}]}
WITH_USAGE = {**ASKED, "stream_options": {"include_usage": True}}
THINKING = {**ASKED, "thinking": {"type": "adaptive"}}
RESPONDING = {"model": "m", "input": "Hi", "stream": True}

NAMESPACED = {
    **RESPONDING,
    "tools": [
        {
            "type": "namespace",
            "name": "agents",
            "description": "Tools for agents.",
            "tools": [{"type": "function", "name": "close", "parameters": {"type": "object"}}],
        }
    ],
}


def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {"model": "gpt", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def call(index: int, arguments: str, **opening: str) -> dict[str, Any]:
    named = {"name": opening["name"]} if opening else {}
    begun = {"id": opening["id"], "type": "function"} if opening else {}
    return chunk({"tool_calls": [{"index": index, **begun, "function": {**named, "arguments": arguments}}]})


USAGE = {
    "model": "gpt",
    "choices": [],
    "usage": {
        "prompt_tokens": 20,
        "completion_tokens": 7,
        "prompt_tokens_details": {"cached_tokens": 12},
        "completion_tokens_details": {"reasoning_tokens": 3},
    },
}

SPOKEN = sse(
    chunk({"role": "assistant", "content": ""}),
    chunk({"reasoning_content": "Hm."}),
    chunk({"content": "Héllo"}),
    chunk({"content": " 🎨"}),
    chunk({}, "stop"),
    USAGE,
    "[DONE]",
)

BY_TURNS = sse(
    call(0, "", id="a", name="f"),
    call(1, "", id="b", name="g"),
    call(0, '{"x": '),
    call(1, '{"y"'),
    call(0, "1}"),
    call(1, ": 2}"),
    call(2, "", id="c", name="h"),
    chunk({}, "tool_calls"),
    USAGE,
    "[DONE]",
)

OF_CLAUDE: list[dict[str, Any]] = [
    {
        "type": "message_start",
        "message": {
            "id": "x",
            "model": "claude",
            "usage": {"input_tokens": 8, "cache_read_input_tokens": 12},
        },
    },
    {"type": "ping"},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm."}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "s"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "I look."}},
    {"type": "content_block_stop", "index": 1},
    {
        "type": "content_block_start",
        "index": 2,
        "content_block": {"type": "tool_use", "id": "a", "name": "f", "input": {}},
    },
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": ""}},
    {
        "type": "content_block_delta",
        "index": 2,
        "delta": {"type": "input_json_delta", "partial_json": '{"x": 1}'},
    },
    {"type": "content_block_stop", "index": 2},
    {
        "type": "content_block_start",
        "index": 3,
        "content_block": {"type": "tool_use", "id": "b", "name": "g", "input": {}},
    },
    {"type": "content_block_stop", "index": 3},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "tool_use", "stop_sequence": None},
        "usage": {"output_tokens": 7},
    },
    {"type": "message_stop"},
]

OF_BEDROCK: list[tuple[str, dict[str, Any]]] = [
    ("messageStart", {"role": "assistant"}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "Hm."}}}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"signature": "s"}}}),
    ("contentBlockStop", {"contentBlockIndex": 0}),
    ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"text": "Hello"}}),
    ("contentBlockStop", {"contentBlockIndex": 1}),
    ("contentBlockStart", {"contentBlockIndex": 2, "start": {"toolUse": {"toolUseId": "a", "name": "f"}}}),
    ("contentBlockDelta", {"contentBlockIndex": 2, "delta": {"toolUse": {"input": '{"x": 1}'}}}),
    ("contentBlockStop", {"contentBlockIndex": 2}),
    ("messageStop", {"stopReason": "tool_use"}),
    (
        "metadata",
        {
            "usage": {"inputTokens": 8, "outputTokens": 7, "totalTokens": 15, "cacheReadInputTokens": 12},
            "metrics": {"latencyMs": 1},
        },
    ),
]
BEDROCK = b"".join(frame(name, payload) for name, payload in OF_BEDROCK)
IN_TIME = [part + b"\n\n" for part in SPOKEN.split(b"\n\n")[:-1]]
FORMATTED = {**ASKED, "response_format": {"type": "json_object"}}

BY_TOOL: list[dict[str, Any]] = [
    OF_CLAUDE[0],
    {
        "type": "content_block_start",
        "index": 0,
        "content_block": {"type": "tool_use", "id": "a", "name": "answer_in_format", "input": {}},
    },
    {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "input_json_delta", "partial_json": '{"x": 1}'},
    },
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 1}},
    {"type": "message_stop"},
]

UNNUMBERED = sse(
    chunk(
        {"tool_calls": [{"id": name, "function": {"name": name, "arguments": '{"x":1}'}} for name in "ab"]}
    ),
    chunk({}, "stop"),
    "[DONE]",
)


def in_bytes(stream: bytes) -> list[bytes]:
    return [stream[index : index + 1] for index in range(len(stream))]


def of_chats(*deltas: tuple[dict[str, Any], str | None]) -> list[dict[str, Any]]:
    return [
        {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish} for delta, finish in deltas
    ]


def block(index: int, start: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"type": "content_block_start", "index": index, "content_block": start},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def input_of(index: int, call_id: str, name: str, *pieces: str) -> list[dict[str, Any]]:
    start = {"type": "tool_use", "id": call_id, "name": name, "input": {}}
    return block(index, start, *({"type": "input_json_delta", "partial_json": piece} for piece in pieces))


TOKENS = {
    "input_tokens": 8,
    "cache_creation_input_tokens": 0,
    "cache_read_input_tokens": 12,
    "output_tokens": 7,
}


def finish(reason: str) -> list[dict[str, Any]]:
    delta = {"stop_reason": reason, "stop_sequence": None}
    return [{"type": "message_delta", "delta": delta, "usage": TOKENS}, {"type": "message_stop"}]


def check_responses(events: Iterable[dict[str, Any]]) -> None:
    adapter = build_adapter()
    for event in events:
        adapter.validate_python(event)


@functools.cache
def build_adapter() -> TypeAdapter[ResponseStreamEvent]:
    """Builds what takes longer to build than to ask."""
    return TypeAdapter(ResponseStreamEvent)
