"""Probes a server: decides from one request or connection, with a deadline, whether it is ready."""

from __future__ import annotations

import asyncio
import contextlib
import json
from enum import Enum
from typing import Any

from centralized_ml_api.local.supervision.http_get import Connection

PROBE_TIMEOUT_SECONDS = 5.0
LOOK_TIMEOUT_SECONDS = 1.0
CLOSING_SECONDS = 0.1
"""A server that closes a connection at once does it within that; any other keeps it for a second or more."""

_NO_ANSWER = (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)

KEEPS_CONNECTIONS = frozenset(
    {
        *("aiohttp", "granian", "gunicorn", "hypercorn-h11", "tornadoserver", "uvicorn", "waitress"),
        *("envoy", "istio-envoy", "nginx", "openresty"),
    }
)
"""The products, by their `Server` header, that say so before they close a connection behind an answer.

All close an idle one later than the gateway does. See docs/decisions/0041-kept-connections.md.
"""


class ProbeResult(Enum):
    """What a probe showed."""

    READY = "ready"
    NOT_READY = "answers that it is not ready"
    REFUSED = "refuses connections"
    SILENT = "does not answer"


class Prober:
    """Probes servers over HTTP. By hand: aiohttp takes a tenth of a second of a start to import."""

    async def probe(self, url: str, timeout_seconds: float = PROBE_TIMEOUT_SECONDS) -> ProbeResult:
        """Sends one `GET`; any 2xx means READY. Never raises."""
        try:
            async with asyncio.timeout(timeout_seconds):
                try:
                    connection = await Connection.open(url)
                except OSError:
                    return ProbeResult.REFUSED
                with contextlib.closing(connection):
                    answer = await connection.get(closes=True)
                    await connection.drop(answer)
        except _NO_ANSWER:
            return ProbeResult.SILENT
        return ProbeResult.READY if answer.is_ok else ProbeResult.NOT_READY

    async def describe(self, url: str, timeout_seconds: float = PROBE_TIMEOUT_SECONDS) -> dict[str, Any]:
        """Returns the JSON object at an address; an empty one if there is none. Never raises."""
        try:
            async with asyncio.timeout(timeout_seconds):
                with contextlib.closing(await Connection.open(url)) as connection:
                    answer = await connection.get(closes=True)
                    text = await connection.read(answer)
            document = json.loads(text) if answer.is_ok else None
        except (*_NO_ANSWER, RecursionError):
            return {}
        return document if isinstance(document, dict) else {}

    async def keeps_connections(self, url: str, timeout_seconds: float = LOOK_TIMEOUT_SECONDS) -> bool:
        """Sends one `GET`; returns whether its server says so before it closes a connection.

        That is so if the answer, of any status, is a known product's, and the connection is open a moment
        later unless the answer announced its end. Never raises: who does not answer may do anything.

        Args:
            url: Any address of the server.
            timeout_seconds: How long to wait for all of that.
        """
        try:
            async with asyncio.timeout(timeout_seconds):
                with contextlib.closing(await Connection.open(url)) as connection:
                    answer = await connection.get(closes=False)
                    if not says_when_it_closes(answer.header("server")):
                        return False
                    return answer.says_it_closes or not await connection.ends_within(CLOSING_SECONDS)
        except _NO_ANSWER:
            return False

    async def probe_port(
        self, host: str, port: int, timeout_seconds: float = PROBE_TIMEOUT_SECONDS
    ) -> ProbeResult:
        """Opens one connection and closes it; READY if the port accepts it, else REFUSED. Never raises.

        Args:
            host: The host.
            port: The port.
            timeout_seconds: How long to wait for the connection.
        """
        try:
            async with asyncio.timeout(timeout_seconds):
                _, writer = await asyncio.open_connection(host, port)
        except (OSError, TimeoutError):
            return ProbeResult.REFUSED
        writer.close()
        return ProbeResult.READY


def says_when_it_closes(server: str) -> bool:
    """Returns whether a `Server` header, such as `Python/3.13 aiohttp/3.14`, names a known product. Pure."""
    return any(product.partition("/")[0] in KEEPS_CONNECTIONS for product in server.lower().split())
