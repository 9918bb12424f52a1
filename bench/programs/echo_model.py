"""A model that returns its input: `python bench/programs/echo_model.py PORT`."""

from __future__ import annotations

import sys

from aiohttp import web


def build_application() -> web.Application:
    """Builds `GET /ping` and `POST /invocations`."""

    async def echo(request: web.Request) -> web.Response:
        return web.Response(body=await request.read(), content_type="application/json")

    async def ping(_: web.Request) -> web.Response:
        return web.Response()

    application = web.Application()
    application.add_routes([web.get("/ping", ping), web.post("/invocations", echo)])
    return application


if __name__ == "__main__":
    web.run_app(build_application(), host="127.0.0.1", port=int(sys.argv[1]), print=None)
