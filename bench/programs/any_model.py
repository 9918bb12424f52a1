"""A model that takes any body: `python bench/programs/any_model.py PORT`.

It answers with a text in the form of Hugging Face's text generation, which functions read too.
"""

from __future__ import annotations

import sys

from aiohttp import web

_MOST_BYTES = 8 * 1024 * 1024


def build_application() -> web.Application:
    """Builds `GET /ping` and `POST /invocations`."""

    async def answer(request: web.Request) -> web.Response:
        body = await request.read()
        return web.json_response([{"generated_text": f"{len(body)} bytes"}])

    async def ping(_: web.Request) -> web.Response:
        return web.Response()

    application = web.Application(client_max_size=_MOST_BYTES)
    application.add_routes([web.get("/ping", ping), web.post("/invocations", answer)])
    return application


if __name__ == "__main__":
    web.run_app(build_application(), host="127.0.0.1", port=int(sys.argv[1]), print=None)
