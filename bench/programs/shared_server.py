"""A server that several entries share: `python bench/programs/shared_server.py PORT`.

It answers `POST /v1/chat/completions` for whichever `model` the body names, and says which one that was. With
`"bytes"` the answer has that many bytes more.
"""

from __future__ import annotations

import sys

from aiohttp import web

_MOST_BYTES = 8 * 1024 * 1024


def build_application() -> web.Application:
    """Builds the application."""

    async def chat(request: web.Request) -> web.Response:
        asked = await request.json()
        message = {"role": "assistant", "content": "x" * int(asked.get("bytes", 0))}
        return web.json_response({"model": asked["model"], "choices": [{"index": 0, "message": message}]})

    application = web.Application(client_max_size=_MOST_BYTES)
    application.add_routes([web.post("/v1/chat/completions", chat)])
    return application


if __name__ == "__main__":
    web.run_app(build_application(), host="127.0.0.1", port=int(sys.argv[1]), print=None)
