"""Lambda, as far as functions are called without waiting for what they answer."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

from aiohttp import web

from support.model_server import start_model_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.background import Background
    from support.stream_host import StreamHost


@contextlib.contextmanager
def serve_events(background: Background, host: StreamHost, name: str) -> Iterator[str]:
    """The address where the function of this name takes events, which it runs one after the other.

    Source: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
    """

    async def take(request: web.Request, body: bytes) -> web.StreamResponse:
        if request.path != f"/2015-03-31/functions/{name}/invocations":
            return web.json_response({"Message": f"Function not found: {request.path}"}, status=404)
        assert request.headers["X-Amz-Invocation-Type"] == "Event"
        host.begin(json.loads(body))
        return web.Response(status=202)

    with start_model_server(background) as server:
        server.answering = take
        yield server.url
