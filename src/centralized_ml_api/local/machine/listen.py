"""Serves aiohttp applications on loopback, to programs of this machine but not to web pages in its browser.

A page can send requests to loopback, too: through a host name of its own that resolves to it (DNS rebinding),
or without being allowed to read the answer. `refuse_web_pages` refuses both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from centralized_ml_api.api.loopback import LOOPBACK_NAMES

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable
    from contextlib import AsyncExitStack

KEEPALIVE_SECONDS = 3600
SHUTDOWN_SECONDS = 3.0


async def serve_application(
    stack: AsyncExitStack, application: web.Application, listening: socket.socket, *, cancels: bool
) -> None:
    """Serves on the socket until the stack unwinds; running calls then get `SHUTDOWN_SECONDS` to finish.

    Bodies reach the application as they were sent, so compressed ones stay compressed.

    Args:
        stack: Ends the serving.
        application: What is served.
        listening: The socket.
        cancels: Whether a handler is cancelled when its caller disconnects.
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
    """Answers 403 to what a browser sends on behalf of a page: a foreign `Host`, or an `Origin`.

    A page sends its own site's name in `Host`, even if that name resolves to 127.0.0.1.

    Raises:
        HTTPForbidden: The request comes from a page.

    Source: https://www.rfc-editor.org/rfc/rfc9110#section-7.2 and
    https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Origin (on every POST)
    """
    if "Origin" in request.headers or request.host.partition(":")[0].lower() not in LOOPBACK_NAMES:
        raise web.HTTPForbidden(text="This port serves programs on this machine, not web pages.\n")
    return await handler(request)
