"""Serving an aiohttp application on a loopback port for as long as an exit stack lives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.local.sagemaker_runtime import start_listener as start

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

    from aiohttp import web


async def start_listener(stack: AsyncExitStack, application: web.Application, port: int) -> int:
    """Listens until the stack unwinds; `port` 0 takes a free one. Returns the port."""
    listener = await start(application, port)
    stack.push_async_callback(listener.stop)
    return listener.port
