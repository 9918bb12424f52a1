"""Lambda, as far as functions call functions: without waiting for what they answer, or waiting for it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from typing import TYPE_CHECKING, Any

from aiohttp import web

from support.model_server import start_model_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from support.api_gateway.back_ends import Invoke
    from support.background import Background
    from support.stream_host import StreamHost
    from support.stream_host.runtime_api import Invocation


@contextlib.contextmanager
def serve_events(
    background: Background,
    start: Callable[[str], AbstractContextManager[StreamHost]],
    name: str,
    others: Mapping[str, Invoke],
) -> Iterator[str]:
    """The address where the function of this name takes events; where no instance is free, a new one runs it.

    `start` starts one that finds Lambda at an address. The functions in `others`, by their names, answer.
    Source: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
    """
    with contextlib.ExitStack() as stack, start_model_server(background) as server:
        running: dict[StreamHost, Invocation] = {}
        changing = threading.Lock()

        def begin(event: dict[str, Any]) -> None:
            with changing:
                free = (host for host, invocation in running.items() if invocation.done.is_set())
                host = next(free, None) or stack.enter_context(start(server.url))
                running[host] = host.begin(event)

        async def take(request: web.Request, body: bytes) -> web.StreamResponse:
            asked = request.path.removeprefix("/2015-03-31/functions/").removesuffix("/invocations")
            if asked in others:
                return await answer(others[asked], request, body)
            if asked != name:
                return web.json_response({"Message": f"Function not found: {request.path}"}, status=404)
            assert request.headers["X-Amz-Invocation-Type"] == "Event"
            await asyncio.to_thread(begin, json.loads(body))
            return web.Response(status=202)

        async def answer(invoke: Invoke, request: web.Request, body: bytes) -> web.Response:
            assert request.headers["X-Amz-Invocation-Type"] == "RequestResponse"
            said = await invoke("from-a-function", body)
            has_failed = b"errorMessage" in said
            return web.Response(
                body=said, headers={"X-Amz-Function-Error": "Unhandled"} if has_failed else {}
            )

        server.answering = take
        yield server.url
