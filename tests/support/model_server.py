"""A small model server that a test tells what to do; it remembers what it was asked."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from support.background import Background

    Answering = Callable[[web.Request, bytes], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Asked:
    """One call as it arrived: header names in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes


async def echo(request: web.Request, body: bytes) -> web.StreamResponse:
    """Answers with the body and the type that came."""
    return web.Response(body=body, headers={"Content-Type": request.headers["Content-Type"]})


async def hang(_request: web.Request, _body: bytes) -> web.StreamResponse:
    """Never answers."""
    return await asyncio.Future[web.StreamResponse]()


async def exit_at_once(request: web.Request, _body: bytes) -> web.StreamResponse:
    """Closes the connection without a word."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def exit_midway(request: web.Request, _body: bytes) -> web.StreamResponse:
    """Closes the connection after half of the answer."""
    response = web.StreamResponse(headers={"Content-Length": "100", "Content-Type": "text/plain"})
    await response.prepare(request)
    await response.write(b"half")
    if request.transport is not None:
        request.transport.abort()
    return response


def answer(status: int, body: bytes, **headers: str) -> Answering:
    """Answers always the same."""

    async def answering(_request: web.Request, _body: bytes) -> web.StreamResponse:
        return web.Response(
            status=status,
            body=body,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )

    return answering


@dataclass
class ModelServer:
    """Set `answering`; read `asked`."""

    url: str = ""
    answering: Answering = echo
    asked: list[Asked] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Remembers the call and answers it."""
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.asked.append(Asked(request.path, headers, body))
        return await self.answering(request, body)


@contextlib.contextmanager
def start_model_server(background: Background) -> Iterator[ModelServer]:
    """A model server on a free port, until the end of the block."""
    server = ModelServer()
    application = web.Application(client_max_size=0)
    application.router.add_route("*", "/{tail:.*}", server.handle)
    runner = web.AppRunner(
        application, access_log=None, auto_decompress=False, handler_cancellation=True, shutdown_timeout=0.1
    )

    async def start() -> None:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()

    background.run(start())
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        background.run(runner.cleanup())
