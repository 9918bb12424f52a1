"""A server of aiohttp's, which says so before it closes a connection: `/echo` whole, `/stream` as events."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web

from centralized_ml_api.local.supervision.probe import Prober

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.background import Background


@dataclass
class StreamingServer:
    """Where it listens, and the port of each connection on which it was called."""

    port: int = 0
    callers: set[int] = field(default_factory=set)

    async def echo(self, request: web.Request) -> web.Response:
        """The body."""
        self._note(request)
        return web.Response(body=await request.read())

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Five events, each on its way before the next."""
        self._note(request)
        await request.read()
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await answer.prepare(request)
        for number in range(5):
            await answer.write(b"data: %d\n\n" % number)
        await answer.write_eof()
        return answer

    def _note(self, request: web.Request) -> None:
        assert request.transport is not None
        self.callers.add(request.transport.get_extra_info("peername")[1])


@contextlib.contextmanager
def start_streaming_server(background: Background) -> Iterator[StreamingServer]:
    """Serves on the background's loop until the end of the block."""
    server = StreamingServer()
    application = web.Application()
    application.router.add_post("/echo", server.echo)
    application.router.add_post("/stream", server.stream)
    runner = web.AppRunner(application)

    async def start() -> int:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port: int = runner.addresses[0][1]
        return port

    server.port = background.run(start())
    try:
        yield server
    finally:
        background.run(runner.cleanup())


async def knows(port: int) -> bool:
    """Whether the prober knows the server on a port as one that keeps connections."""
    return await Prober().keeps_connections(f"http://127.0.0.1:{port}/")
