"""What Anthropic's own API answers, in its published shapes, by the model that a body names.

    claude-fake     thoughts where they are asked for, a text, two tools if there are any; whole or streamed;
                    of a format, an image or 1 token at most, what `openai_answers` says
    refuses         a refusal
    limited         429 with `Retry-After`
    overloaded      529; in a stream, an error after the first text
    cut             the connection breaks in mid-stream
    anything else   404

Fields of a beta are refused without its header.

Sources:
    https://platform.claude.com/docs/en/api/messages/create
    https://platform.claude.com/docs/en/build-with-claude/streaming
    https://platform.claude.com/docs/en/api/errors
    https://platform.claude.com/docs/en/api/beta-headers
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aiohttp import web

from support.openai_answers import FORMATTED, SEEN

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSION_HEADER = "anthropic-version"
BETA_HEADER = "anthropic-beta"
BETAS = {"context_management": "context-management-2025-06-27"}
"""The fields of betas, each with the beta that must be named."""

KEY_HEADER = "x-api-key"
TEXT = "Cloud 🎨"
USAGE = {
    "input_tokens": 7,
    "cache_creation_input_tokens": 2,
    "cache_read_input_tokens": 5,
    "output_tokens": 11,
}
CALLS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("toolu_1", "get_weather", {"city": "Bern"}),
    ("toolu_2", "get_weather", {"city": "Basel"}),
)


def anthropic_error(
    status: int, kind: str, message: str, headers: dict[str, str] | None = None
) -> web.Response:
    """An error in Anthropic's shape."""
    error = {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_011CSHoEeqs"}
    return web.json_response(error, status=status, headers=headers)


async def answer_messages(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """Answers `POST /v1/messages`, and what counts the tokens of such a body."""
    if request.path.endswith("/count_tokens"):
        return web.json_response({"input_tokens": USAGE["input_tokens"]})
    refusal = _refuse_beta(request, body) or _refuse(body)
    if refusal is not None:
        return refusal
    return await _stream(request, body) if body.get("stream") else web.json_response(build_message(body))


def _refuse_beta(request: web.Request, body: dict[str, Any]) -> web.Response | None:
    named = request.headers.get(BETA_HEADER, "").split(",")
    for field, beta in BETAS.items():
        if field in body and beta not in named:
            return anthropic_error(400, "invalid_request_error", f"{field}: Extra inputs are not permitted")
    return None


def _refuse(body: dict[str, Any]) -> web.Response | None:
    model = body.get("model")
    if "max_tokens" not in body:
        return anthropic_error(400, "invalid_request_error", "max_tokens: Field required")
    if model == "limited":
        return anthropic_error(429, "rate_limit_error", "Slow down.", {"Retry-After": "7"})
    if model == "overloaded" and not body.get("stream"):
        return anthropic_error(529, "overloaded_error", "Overloaded")
    if model not in {"claude-fake", "refuses", "overloaded", "cut"}:
        return anthropic_error(404, "not_found_error", f"model: {model}")
    return None


async def _stream(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    model = body["model"]
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
    await response.prepare(request)
    for event in _events(body):
        await response.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
        if event["type"] == "content_block_delta" and model == "cut":
            assert request.transport
            request.transport.abort()
            return response
        if event["type"] == "content_block_delta" and model == "overloaded":
            error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
            await response.write(f"event: error\ndata: {json.dumps(error)}\n\n".encode())
            return response
    return response


def build_message(body: dict[str, Any]) -> dict[str, Any]:
    """Builds the whole message."""
    return {
        "id": "msg_013Zva2CMHLNnXjNJJKqJ2EF",
        "type": "message",
        "role": "assistant",
        "model": "claude-fake-20260807",
        "content": list(_blocks(body)),
        "stop_reason": _speak(body)[1],
        "stop_sequence": None,
        "usage": USAGE,
    }


def _speak(body: dict[str, Any]) -> tuple[str, str]:
    """Returns the text, and why it ends."""
    if body["model"] == "refuses":
        return "", "refusal"
    if body.get("output_config", {}).get("format"):
        return FORMATTED, "end_turn"
    if image := _find_image(body["messages"]):
        return SEEN.format(image), "end_turn"
    if body["max_tokens"] == 1:
        return TEXT[:5], "max_tokens"
    return TEXT, "tool_use" if body.get("tools") else "end_turn"


def _find_image(messages: list[dict[str, Any]]) -> str | None:
    parts = [
        part for message in messages if isinstance(message["content"], list) for part in message["content"]
    ]
    types = [part["source"]["media_type"] for part in parts if part["type"] == "image"]
    return types[0] if types else None


def _blocks(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if body.get("thinking", {}).get("type") == "enabled":
        yield {"type": "thinking", "thinking": "Hm.", "signature": "EqQBCgIYAhIM1gbcDa9GJwZA2b3h"}
    if text := _speak(body)[0]:
        yield {"type": "text", "text": text}
    for identity, name, given in CALLS if body.get("tools") else ():
        yield {"type": "tool_use", "id": identity, "name": name, "input": given}


def _events(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    message = build_message(body)
    begun = {**USAGE, "output_tokens": 1}
    yield {
        "type": "message_start",
        "message": {**message, "content": [], "stop_reason": None, "usage": begun},
    }
    yield {"type": "ping"}
    for index, block in enumerate(_blocks(body)):
        empty = {"text": "", "thinking": "", "signature": "", "input": {}}
        start = {key: empty.get(key, value) for key, value in block.items()}
        yield {"type": "content_block_start", "index": index, "content_block": start}
        for delta in _deltas(block):
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    delta = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": delta, "usage": {"output_tokens": USAGE["output_tokens"]}}
    yield {"type": "message_stop"}


def _deltas(block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if block["type"] == "text":
        yield {"type": "text_delta", "text": block["text"]}
    elif block["type"] == "thinking":
        yield {"type": "thinking_delta", "thinking": block["thinking"]}
        yield {"type": "signature_delta", "signature": block["signature"]}
    else:
        written = json.dumps(block["input"])
        for piece in ("", written[:5], written[5:]):
            yield {"type": "input_json_delta", "partial_json": piece}
