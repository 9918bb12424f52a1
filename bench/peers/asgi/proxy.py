"""The application: `uvicorn bench.peers.asgi.proxy:application`.

`PROXY` in the environment is JSON: `upstream` (a URL), `keys` (names of teams by their keys), `rate` and
`burst` (of a team), `log` (a file).
"""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable, MutableMapping
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from yarl import URL

from bench.peers.asgi import answers
from bench.peers.asgi.access import Team, Teams
from bench.peers.asgi.answers import Headers, RefusedError
from bench.peers.asgi.records import Records

BODY_BYTES = 6 * 1024 * 1024
ANSWER_SECONDS = 29
TO_MODEL = {b"accept": "accept", b"content-type": "content-type"}
"""The headers that reach the model."""
FROM_MODEL = frozenset({b"allow", b"content-type", b"retry-after", b"x-amzn-sagemaker-custom-attributes"})

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Proxy:
    """One route to one model, over persistent connections."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self._routes = {"/model": URL(settings["upstream"])}
        self._teams = Teams(settings["keys"], settings["rate"], settings["burst"])
        self._records = Records(Path(settings["log"]))
        self._numbers = count()
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles a connection, as ASGI defines it."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=1),
            timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS, sock_connect=1),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("user-agent", "accept", "accept-encoding"),
        )
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._session.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = time.time_ns()
        request_id = f"req-{begun}-{next(self._numbers)}"
        team: Team | None = None
        bytes_in = 0
        try:
            upstream, headers, key = self._route(scope)
            if upstream is None:
                status, answer, content = 204, list(answers.PREFLIGHT), b""
            else:
                team = self._admit(key)
                body = await _read(receive)
                bytes_in = len(body)
                status, answer, content = await self._forward(upstream, headers, body)
        except RefusedError as error:
            refusal = error.refusal
            status, content = refusal.status, refusal.render(request_id)
            answer = [(b"content-type", b"application/json"), *refusal.headers]
        answer += [
            (b"content-length", b"%d" % len(content)),
            (b"x-request-id", request_id.encode()),
            *answers.CORS,
        ]
        await send({"type": "http.response.start", "status": status, "headers": answer})
        await send({"type": "http.response.body", "body": content})
        self._records.add(
            {
                "time": begun,
                "request_id": request_id,
                "team": team.name if team else "",
                "model": scope["path"] if scope["path"] in self._routes else "",
                "status": status,
                "milliseconds": (time.time_ns() - begun) / 1e6,
                "bytes_in": bytes_in,
                "bytes_out": len(content),
            }
        )

    def _route(self, scope: Scope) -> tuple[URL | None, dict[str, str], bytes]:
        """Returns the upstream (None for a preflight), the headers to forward, and the key."""
        if scope["method"] == "OPTIONS":
            return None, {}, b""
        upstream = self._routes.get(scope["path"])
        if upstream is None:
            raise RefusedError(answers.UNKNOWN_PATH)
        if scope["method"] != "POST":
            raise RefusedError(answers.METHOD)
        headers, key = {"content-type": "application/json"}, b""
        for name, value in scope["headers"]:
            if name in TO_MODEL:
                headers[TO_MODEL[name]] = value.decode("latin-1")
            elif name == b"x-api-key":
                key = value
            elif name == b"authorization" and not key:
                key = value.removeprefix(b"Bearer ")
            elif name == b"content-length" and int(value) > BODY_BYTES:
                raise RefusedError(answers.TOO_LARGE)
        return upstream, headers, key

    def _admit(self, key: bytes) -> Team:
        team = self._teams.find(key)
        if team is None:
            raise RefusedError(answers.UNAUTHORIZED)
        if not team.bucket.take():
            raise RefusedError(answers.TOO_MANY)
        return team

    async def _forward(
        self, upstream: URL, headers: dict[str, str], body: bytes
    ) -> tuple[int, Headers, bytes]:
        if self._session is None:
            raise RefusedError(answers.NOT_READY)
        try:
            async with self._session.post(
                upstream, data=body, headers=headers, allow_redirects=False
            ) as answer:
                content = await answer.read()
                passed = [
                    (name.lower(), value) for name, value in answer.raw_headers if name.lower() in FROM_MODEL
                ]
                return answer.status, passed, content
        except TimeoutError as error:
            raise RefusedError(answers.TOO_SLOW) from error
        except aiohttp.ClientConnectorError as error:
            raise RefusedError(answers.NOT_READY) from error
        except aiohttp.ClientError as error:
            raise RefusedError(answers.FAILED) from error


async def _read(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
        if len(body) > BODY_BYTES:
            raise RefusedError(answers.TOO_LARGE)
    return body


application = Proxy(orjson.loads(os.environ["PROXY"]))
