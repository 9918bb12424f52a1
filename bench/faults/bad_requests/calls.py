"""Calls of the APIs under `/v1` that are nearly right: a few fields of each, and one or two that are odd."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.faults.bad_requests.values import build_value, change, write_json, write_plain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
_SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}
_SAMPLING = {"temperature": 0.5, "top_p": 0.9, "stream": True, "user": "u", "metadata": {"a": "b"}}

_CHAT_MESSAGES: list[dict[str, Any]] = [
    {"role": "system", "content": "a"},
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "hi"},
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{_PIXEL}"}},
            {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
            {"type": "file", "file": {"file_data": "data:application/pdf;base64,AAAA", "filename": "a.pdf"}},
        ],
    },
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}],
    },
    {"role": "tool", "tool_call_id": "c", "content": [{"type": "text", "text": "1"}]},
]
_FORMAT = {"type": "json_schema", "json_schema": {"name": "n", "strict": True, "schema": _SCHEMA}}
CHAT = {
    "max_tokens": 4,
    "max_completion_tokens": 4,
    "messages": _CHAT_MESSAGES,
    "tools": [{"type": "function", "function": {"name": "f", "description": "d", "parameters": _SCHEMA}}],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "parallel_tool_calls": True,
    "response_format": _FORMAT,
    "stream_options": {"include_usage": True},
    "stop": ["a", "b"],
    "n": 1,
    "seed": 1,
    "logit_bias": {"1": 1},
    "logprobs": True,
    "top_logprobs": 1,
    "reasoning_effort": "low",
    **_SAMPLING,
}
COMPLETION = {
    "prompt": ["a", "b"],
    "max_tokens": 4,
    "suffix": "a",
    "echo": False,
    "best_of": 1,
    "logprobs": 1,
    "stop": "a",
    **_SAMPLING,
}
RESPONSE = {
    "input": [
        {"role": "user", "content": [{"type": "input_text", "text": "hi"}]},
        {
            "type": "message",
            "role": "user",
            "content": [
                {"type": "input_image", "image_url": f"data:image/png;base64,{_PIXEL}", "detail": "auto"}
            ],
        },
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": '{"a": 1}', "id": "fc_1"},
        {"type": "function_call_output", "call_id": "c", "output": "1"},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "a"},
    ],
    "instructions": "a",
    "max_output_tokens": 16,
    "tools": [{"type": "function", "name": "f", "description": "d", "strict": True, "parameters": _SCHEMA}],
    "tool_choice": {"type": "function", "name": "f"},
    "text": {"format": {"type": "json_schema", "name": "n", "strict": True, "schema": _SCHEMA}},
    "previous_response_id": None,
    "store": False,
    "include": ["reasoning.encrypted_content"],
    "reasoning": {"effort": "low", "summary": "auto"},
    "truncation": "auto",
    **_SAMPLING,
}
MESSAGE = {
    "max_tokens": 4,
    "system": [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}],
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "hi"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": _PIXEL}},
                {
                    "type": "document",
                    "source": {"type": "base64", "media_type": "application/pdf", "data": "AAAA"},
                },
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "a", "signature": "s"},
                {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}},
            ],
        },
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "t", "content": "1", "is_error": False}],
        },
    ],
    "tools": [{"name": "f", "description": "d", "input_schema": _SCHEMA}],
    "tool_choice": {"type": "tool", "name": "f"},
    "stop_sequences": ["a"],
    "top_k": 1,
    "thinking": {"type": "enabled", "budget_tokens": 1024},
    "output_config": {"format": {"type": "json_schema", "schema": _SCHEMA}},
    **_SAMPLING,
}
EMBEDDING = {"input": ["a", "b"], "dimensions": 384, "encoding_format": "float", "user": "u"}
SPEECH = {
    "input": "Hi.",
    "voice": "alloy",
    "response_format": "wav",
    "speed": 1.0,
    "instructions": "a",
    "stream_format": "audio",
}
IMAGE = {
    "prompt": "a",
    "n": 1,
    "size": "64x64",
    "response_format": "b64_json",
    "output_format": "png",
    "quality": "low",
    "background": "auto",
    "user": "u",
}
JOINING = {"code": "none", "name": "newcomers", "address": "http://127.0.0.1:1"}

_PLAIN: dict[str, Any] = {"messages": [{"role": "user", "content": "hi"}], "input": "hi", "prompt": "hi"}
"""Of fields that may have much in them, what every server takes."""

_SHARES = (0, 0, 0.1, 0.4)
_DAMAGED = 0.15


def build_call(chance: Random, model: str, fields: Mapping[str, Any], needed: tuple[str, ...]) -> bytes:
    """Builds the body of a call.

    Args:
        chance: Decides.
        model: The entry that it names; none if empty.
        fields: What a caller may send.
        needed: Those of them without which it would be refused at once.
    """
    share, is_plain = chance.choice(_SHARES), chance.random() < 0.5  # every second
    call: Any = {name: fields[name] for name in fields if name in needed or chance.random() < share}
    if is_plain:
        call |= {name: _PLAIN[name] for name in needed if name in _PLAIN}
    if model:
        call["model"] = model
    for _ in range(chance.choice([0, 1, 1, 1, 2, 3])):
        call = change(chance, call)
    write = write_json if chance.random() < _DAMAGED else write_plain
    return write(chance, call if chance.random() < 1 - _DAMAGED else [call, build_value(chance)])
