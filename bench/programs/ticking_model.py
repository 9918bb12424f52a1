"""A model whose answers are streams: `python bench/programs/ticking_model.py PORT`.

A stream has an event each second, which says when it was sent, in nanoseconds of the system's monotonic
clock. It never ends by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time

from aiohttp import web

SECONDS = 1.0
_BACKLOG = 1024


def build_application() -> web.Application:
    """Builds `POST /v1/chat/completions`, which streams whatever is asked."""

    async def chat(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        with contextlib.suppress(ConnectionError):  # the caller has gone
            await response.prepare(request)
            clock = asyncio.get_running_loop().time
            due = clock()
            while True:
                await response.write(render_event(time.monotonic_ns()))
                due += SECONDS
                await asyncio.sleep(due - clock())
        return response

    application = web.Application()
    application.add_routes([web.post("/v1/chat/completions", chat)])
    return application


def render_event(sent: int) -> bytes:
    """Renders an event of OpenAI's API whose text is the instant at which it was sent."""
    choice = {"index": 0, "delta": {"content": str(sent)}, "finish_reason": None}
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 0, "model": "model"}
    return f"data: {json.dumps({**chunk, 'choices': [choice]})}\n\n".encode()


if __name__ == "__main__":
    port = int(sys.argv[1])
    web.run_app(
        build_application(), host="127.0.0.1", port=port, print=None, backlog=_BACKLOG, shutdown_timeout=1
    )
