"""Serving an aiohttp application on a loopback port for as long as an exit stack lives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from contextlib import AsyncExitStack


async def start_listener(stack: AsyncExitStack, application: web.Application, host: str, port: int) -> int:
    """Listens until the stack unwinds; `port` 0 takes a free one. Returns the port."""
    runner = web.AppRunner(application, access_log=None, handle_signals=False, shutdown_timeout=1)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, host, port).start()
    bound: int = runner.addresses[0][1]
    return bound
