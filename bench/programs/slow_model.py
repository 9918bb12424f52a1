"""A slow model: `python bench/programs/slow_model.py PORT [SECONDS]`.

It takes `SECONDS` for each call and handles `AT_ONCE` calls at a time; more wait in line. So it handles
`AT_ONCE / SECONDS` calls per second on any machine.
"""

from __future__ import annotations

import asyncio
import sys

from aiohttp import web

SECONDS = 0.02
AT_ONCE = 2
CALLS_PER_SECOND = AT_ONCE / SECONDS


def build_application(seconds: float = SECONDS) -> web.Application:
    """Builds `GET /ping` and `POST /invocations`."""
    free = asyncio.Semaphore(AT_ONCE)

    async def think(_: web.Request) -> web.Response:
        async with free:
            await asyncio.sleep(seconds)
        return web.json_response({"thought": True})

    async def ping(_: web.Request) -> web.Response:
        return web.Response()

    application = web.Application()
    application.add_routes([web.get("/ping", ping), web.post("/invocations", think)])
    return application


if __name__ == "__main__":
    thinks = float(sys.argv[2]) if sys.argv[2:] else SECONDS
    web.run_app(build_application(thinks), host="127.0.0.1", port=int(sys.argv[1]), print=None)
