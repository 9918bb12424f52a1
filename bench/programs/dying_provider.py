"""A provider that dies: `python bench/programs/dying_provider.py PORT RECEIVED`.

It speaks OpenAI's chats, and writes the text of each call to the file `RECEIVED` before anything else.
`POST /next/cut` breaks the next answer off, `POST /next/hang` never answers the next call.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from aiohttp import web

WELL, CUT, HANG = "well", "cut", "hang"


class Provider:
    """What it does with the next call."""

    def __init__(self, received: Path) -> None:
        self._received = received.open("a", encoding="utf-8")
        self._next = WELL

    async def plan(self, request: web.Request) -> web.Response:
        """Decides what happens to the next call."""
        self._next = request.match_info["what"]
        return web.Response()

    async def list_models(self, _: web.Request) -> web.Response:
        """Answers what the gateway asks to know whether the key works."""
        return web.json_response({"object": "list", "data": []})

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """Answers a chat, unless this is the one to go wrong."""
        asked = await request.json()
        self._received.write(asked["messages"][-1]["content"] + "\n")
        self._received.flush()
        what, self._next = self._next, WELL
        if what == HANG:
            await asyncio.Event().wait()
        message = {"role": "assistant", "content": "It is so."}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        body = json.dumps(
            {"object": "chat.completion", "model": asked["model"], "choices": [choice]}
        ).encode()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        if what == CUT and request.transport:
            await response.write(body[:9])
            request.transport.abort()
            return response
        await response.write(body)
        return response


def build_application(received: Path) -> web.Application:
    """Builds the paths."""
    provider = Provider(received)
    application = web.Application()
    application.add_routes(
        [
            web.post("/next/{what}", provider.plan),
            web.get("/v1/models", provider.list_models),
            web.post("/v1/chat/completions", provider.chat),
        ]
    )
    return application


if __name__ == "__main__":
    web.run_app(build_application(Path(sys.argv[2])), host="127.0.0.1", port=int(sys.argv[1]), print=None)
