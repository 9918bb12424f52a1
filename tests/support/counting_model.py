"""A model server that counts what it really reads and writes: what no budget may be exceeded by."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

BROKEN = 13
"""The seed at which the model fails."""

BROKEN_OFF = 14
"""The seed at which it says what it has read, writes, and ends with an error."""

QUOTING = 15
"""The seed at which its stream quotes, piece by piece, many tools that have a property `error`."""

_TOOL = {"parameters": {"properties": {"error": {"type": "string"}}}}
_QUOTED = {"tools": [_TOOL] * 150, "error": None}
_PIECE_BYTES = 1000


@dataclass
class CountingModel:
    """A model server that counts what it reads and writes; a stream goes on until its caller leaves.

    With `cache_control`, it says that it has written all that it has read to a cache. Where `said` has texts,
    its streams consist of them.
    """

    used: int = 0
    calls: int = 0
    bodies: list[dict[str, Any]] = field(default_factory=list)
    said: tuple[bytes, ...] = ()

    async def answer(self, request: web.Request, body: bytes) -> web.StreamResponse:
        document = json.loads(body)
        self.bodies.append(document)
        self.calls += 1
        if document.get("seed") == BROKEN:
            return web.Response(status=500)
        prompt = sum(len(message["content"]) for message in document["messages"])
        self.used += prompt
        if not document.get("stream"):
            self.used += document["max_tokens"]
            usage: dict[str, Any] = {"prompt_tokens": prompt, "completion_tokens": document["max_tokens"]}
            if "cache_control" in document:
                usage["prompt_tokens_details"] = {"cache_write_tokens": prompt}
            return web.json_response({"choices": [], "usage": usage})
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for text in self.said:
            await response.write(text)
        if self.said:
            return response
        if document.get("seed") == BROKEN_OFF:
            await _write_event(response, {"choices": [], "usage": {"prompt_tokens": prompt}})
        if document.get("seed") == QUOTING:
            await _write_event(response, {"type": "response.created", "response": _QUOTED}, _PIECE_BYTES)
        for _ in range(document["max_tokens"]):
            self.used += 1
            await response.write(b'data: {"choices": [{"delta": {"content": "x"}}]}\n\n')
        if document.get("seed") == BROKEN_OFF:
            await _write_event(response, {"error": {"message": "Overloaded"}})
            return response
        usage = {"prompt_tokens": prompt, "completion_tokens": document["max_tokens"]}
        await _write_event(response, {"choices": [], "usage": usage})
        return response


async def _write_event(response: web.StreamResponse, document: dict[str, Any], piece: int = 0) -> None:
    event = f"data: {json.dumps(document)}\n\n".encode()
    piece = piece or len(event)
    for start in range(0, len(event), piece):
        await response.write(event[start : start + piece])
        if piece < len(event):
            await asyncio.sleep(0.001)  # so that the gateway mostly reads each by itself
