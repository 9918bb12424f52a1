"""Serving an aiohttp application on loopback for as long as an exit stack lives."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

LOOPBACK = "127.0.0.1"
KEEPALIVE_SECONDS = 3600
SHUTDOWN_SECONDS = 3.0


def bind_loopback(preferred: int = 0) -> socket.socket:
    """A listening socket on the preferred port, or on any free one when that is taken."""
    try:
        return socket.create_server((LOOPBACK, preferred))
    except (OSError, OverflowError):
        return socket.create_server((LOOPBACK, 0))


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


def url_of(listening: socket.socket) -> str:
    """The address of the socket, such as `http://127.0.0.1:4711`."""
    return f"http://{LOOPBACK}:{listening.getsockname()[1]}"
