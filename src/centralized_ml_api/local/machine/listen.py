"""Serving an aiohttp application on loopback for as long as an exit stack lives, and only to programs.

A web page in a browser of this machine can send requests to loopback too: by a host name of its own that
leads there, or without being allowed to read the answer. `refuse_web_pages` lets neither in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from centralized_ml_api.local.machine.ports import LOOPBACK

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable
    from contextlib import AsyncExitStack

OWN_NAMES = frozenset({LOOPBACK, "localhost"})
"""What programs of this machine call a listener on loopback, as `Host` without the port."""

KEEPALIVE_SECONDS = 3600
SHUTDOWN_SECONDS = 3.0


async def serve_application(
    stack: AsyncExitStack, application: web.Application, listening: socket.socket, *, cancels: bool
) -> None:
    """Answers on the socket until the stack unwinds; then calls under way get a moment to end.

    Bodies reach the application as they were sent, compressed ones too. With `cancels` a handler is
    cancelled when its caller goes away.
    """
    runner = web.AppRunner(
        application,
        access_log=None,
        auto_decompress=False,
        handler_cancellation=cancels,
        keepalive_timeout=KEEPALIVE_SECONDS,
        shutdown_timeout=SHUTDOWN_SECONDS,
    )
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.SockSite(runner, listening).start()


@web.middleware
async def refuse_web_pages(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """403 for what a browser sends in the name of a page: another host name, or an `Origin`.

    A page has the name of its own site in `Host`, also when that site's DNS says 127.0.0.1.
    Source: https://www.rfc-editor.org/rfc/rfc9110#section-7.2 and
    https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Origin (on every POST)
    """
    if "Origin" in request.headers or request.host.partition(":")[0].lower() not in OWN_NAMES:
        raise web.HTTPForbidden(text="This port is for programs of this machine, not for web pages.\n")
    return await handler(request)
