"""A deployment that forwards calls: `python deployment.py PORT UPSTREAM`."""

from __future__ import annotations

import signal
import sys

import aiohttp
import ray
from ray import serve
from starlette.requests import Request  # noqa: TC002  # Ray looks at the annotation
from starlette.responses import Response


class Forward:
    """The deployment; one replica, because it has one core."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, request: Request) -> Response:
        """Forwards a call to the model over persistent connections."""
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        headers = {"content-type": "application/json"}
        body = await request.body()
        async with self._session.post(self._upstream, data=body, headers=headers) as answer:
            return Response(await answer.read(), answer.status, media_type=answer.content_type)


if __name__ == "__main__":
    port, upstream = sys.argv[1:]
    ray.init(num_cpus=2, include_dashboard=False, object_store_memory=100 * 1024 * 1024)
    serve.start(http_options={"host": "127.0.0.1", "port": int(port)})
    deployment = serve.deployment(max_ongoing_requests=256)(Forward)
    serve.run(deployment.bind(upstream), route_prefix="/")
    signal.pause()
