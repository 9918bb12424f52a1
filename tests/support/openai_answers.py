"""What OpenAI's own API answers, in its published shapes, by what a body asks for.

    tools                       a call of a tool; of two tools, two calls, whose arguments come in pieces
    response_format             an object
    an image                    what kind of image it is
    1 token at most             the first word
    the model `filtered`        nothing: the filter of contents ends it
    anything else               `WORDS`

Sources:
    https://platform.openai.com/docs/api-reference/chat/object, /chat/streaming, /embeddings, /responses
    https://platform.openai.com/docs/guides/function-calling#streaming
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

USAGE = {
    "prompt_tokens": 19,
    "completion_tokens": 10,
    "total_tokens": 29,
    "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
}
WORDS = ("Cloud", ' {"usage": {}}', " computing")
"""What it says, with a word that looks like what a counter looks for."""

FORMATTED = '{"city": "Bern"}'
"""The object that it says where a format is asked for."""

SEEN = "I see {}."
"""What it says of an image, with its type."""

CALLS = ({"city": "Bern"}, {"city": "Basel"})
"""The arguments of its calls of tools."""

_ID = {
    "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
    "created": 1_741_569_952,
    "model": "gpt-fake-2026-08-07",
}


def find_act(model: str, messages: list[dict[str, Any]]) -> str:
    """Returns as what a model behaves: `MODEL does ACT` in the last message makes it the model `ACT`."""
    content = messages[-1]["content"] if messages else ""
    text = content if isinstance(content, str) else content[-1].get("text", "")
    named, _, act = text.partition(" does ")
    return act if act and named == model else model


def find_image(messages: list[dict[str, Any]]) -> str | None:
    """Returns the type of the first image of a chat; None without one."""
    parts = [
        part for message in messages if isinstance(message["content"], list) for part in message["content"]
    ]
    urls = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
    return urls[0].removeprefix("data:").partition(";")[0] if urls else None


def _speak(body: dict[str, Any]) -> tuple[tuple[str, ...], str]:
    """Returns the words, and why they end."""
    if body.get("model") == "filtered":
        return (), "content_filter"
    if (body.get("response_format") or {}).get("type") == "json_schema":
        return (FORMATTED[:5], FORMATTED[5:]), "stop"
    if image := find_image(body.get("messages", [])):
        return (SEEN.format(image),), "stop"
    if 1 in {body.get("max_tokens"), body.get("max_completion_tokens")}:
        return WORDS[:1], "length"
    return WORDS, "stop"


def _calls(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Returns the calls of tools: one for each that it is offered, up to two."""
    return [
        {
            "id": f"call_{number}",
            "type": "function",
            "function": {"name": tool["function"]["name"], "arguments": json.dumps(arguments)},
        }
        for number, (tool, arguments) in enumerate(zip(body.get("tools") or (), CALLS, strict=False), 1)
    ]


def build_completion(body: dict[str, Any]) -> dict[str, Any]:
    """Builds a whole chat."""
    words, finish = _speak(body)
    message: dict[str, Any] = {"role": "assistant", "content": "".join(words), "refusal": None}
    if calls := _calls(body):
        finish = "tool_calls"
        message = {"role": "assistant", "content": None, "tool_calls": calls, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
    return {
        **_ID,
        "object": "chat.completion",
        "choices": [choice],
        "usage": USAGE,
        "service_tier": "default",
    }


def build_chunks(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Builds the events of a chat."""
    includes = (body.get("stream_options") or {}).get("include_usage") is True
    base = {**_ID, "object": "chat.completion.chunk", **({"usage": None} if includes else {})}
    words, finish = _speak(body)
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    if calls := _calls(body):
        finish = "tool_calls"
        deltas = list(_deltas(calls))
    else:
        deltas += [{"content": word} for word in words]
    for delta in deltas:
        yield {**base, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    yield {**base, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}
    if includes:
        yield {**base, "choices": [], "usage": USAGE}


def _deltas(calls: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    if len(calls) == 1:
        yield {"tool_calls": [{"index": 0, **calls[0]}]}
        return
    for index, call in enumerate(calls):
        function = call["function"]
        yield {"tool_calls": [{"index": index, **call, "function": {**function, "arguments": ""}}]}
        text = function["arguments"]
        for piece in (text[:5], text[5:]):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def build_embeddings(_: dict[str, Any]) -> dict[str, Any]:
    """Builds an embedding."""
    item = {"object": "embedding", "index": 0, "embedding": [0.25, -0.5]}
    usage = {"prompt_tokens": 8, "total_tokens": 8}
    return {"object": "list", "data": [item], "model": "gpt-fake", "usage": usage}


def build_response(body: dict[str, Any]) -> dict[str, Any]:
    """Builds a whole response."""
    text = {"type": "output_text", "text": "".join(WORDS), "annotations": []}
    message = {
        "type": "message",
        "id": "msg_1",
        "status": "completed",
        "role": "assistant",
        "content": [text],
    }
    usage = {
        "input_tokens": 36,
        "input_tokens_details": {"cached_tokens": 3},
        "output_tokens": 87,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 123,
    }
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": "completed",
        "model": body["model"],
        "output": [message],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": usage,
        "user": None,
        "metadata": {},
    }
