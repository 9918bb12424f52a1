"""Lambda, as far as functions are called without waiting for what they answer."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from typing import TYPE_CHECKING, Any

from aiohttp import web

from support.model_server import start_model_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from support.background import Background
    from support.stream_host import StreamHost
    from support.stream_host.runtime_api import Invocation


@contextlib.contextmanager
def serve_events(
    background: Background, start: Callable[[], AbstractContextManager[StreamHost]], name: str
) -> Iterator[str]:
    """The address where the function of this name takes events; where no instance is free, a new one runs it.

    Source: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
    """
    with contextlib.ExitStack() as stack, start_model_server(background) as server:
        running: dict[StreamHost, Invocation] = {}
        changing = threading.Lock()

        def begin(event: dict[str, Any]) -> None:
            with changing:
                free = (host for host, invocation in running.items() if invocation.done.is_set())
                host = next(free, None) or stack.enter_context(start())
                running[host] = host.begin(event)

        async def take(request: web.Request, body: bytes) -> web.StreamResponse:
            if request.path != f"/2015-03-31/functions/{name}/invocations":
                return web.json_response({"Message": f"Function not found: {request.path}"}, status=404)
            assert request.headers["X-Amz-Invocation-Type"] == "Event"
            await asyncio.to_thread(begin, json.loads(body))
            return web.Response(status=202)

        server.answering = take
        yield server.url
