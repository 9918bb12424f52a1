"""Probes a server: decides from one request or connection, with a deadline, whether it is ready."""

from __future__ import annotations

import asyncio
import json
from enum import Enum
from http import HTTPStatus
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import aiohttp

PROBE_TIMEOUT_SECONDS = 5.0
LOOK_TIMEOUT_SECONDS = 1.0
CLOSING_SECONDS = 0.1
"""A server that closes a connection at once does it within that; any other keeps it for a second or more."""

ABOUT_BYTES = 1024 * 1024
"""The longest description of itself that is read from a server."""

_PIECE_BYTES = 65536

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
    """Probes servers over HTTP connections that stay open until `aclose`.

    aiohttp is imported for the first probe: by then the server that it asks is starting.
    """

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None
        self._is_loaded = False

    async def probe(self, url: str, timeout_seconds: float = PROBE_TIMEOUT_SECONDS) -> ProbeResult:
        """Sends one `GET`; any 2xx means READY. Never raises."""
        await self._load()
        import aiohttp  # noqa: PLC0415  # loaded by now

        try:
            async with self._open(url, timeout_seconds) as answer:
                ready = HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES
                return ProbeResult.READY if ready else ProbeResult.NOT_READY
        except aiohttp.ClientConnectorError:
            return ProbeResult.REFUSED
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return ProbeResult.SILENT

    async def describe(self, url: str, timeout_seconds: float = PROBE_TIMEOUT_SECONDS) -> dict[str, Any]:
        """Returns the JSON object at an address; an empty one if there is none. Never raises."""
        await self._load()
        import aiohttp  # noqa: PLC0415  # loaded by now

        try:
            async with self._open(url, timeout_seconds) as answer:
                text = await answer.content.readexactly(min(answer.content_length or 0, ABOUT_BYTES))
                document = json.loads(text) if answer.ok else None
        except (aiohttp.ClientError, asyncio.IncompleteReadError, TimeoutError, ValueError, RecursionError):
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
                return await _look(url)
        except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
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

    def _open(self, url: str, timeout_seconds: float) -> aiohttp.client._RequestContextManager:
        import aiohttp  # noqa: PLC0415  # loaded by now

        self._session = self._session or aiohttp.ClientSession()
        timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        return self._session.get(url, timeout=timeout, allow_redirects=False)

    async def _load(self) -> None:
        """Imports aiohttp in a thread: that takes a tenth of a second, in which the gateway starts."""
        if not self._is_loaded:
            await asyncio.to_thread(import_module, "aiohttp")
            self._is_loaded = True

    async def aclose(self) -> None:
        """Closes the connections."""
        if self._session is not None:
            await self._session.close()


async def _look(url: str) -> bool:
    parts = urlsplit(url)
    is_tls = parts.scheme == "https"
    port = parts.port or (443 if is_tls else 80)
    reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=is_tls or None)
    try:
        target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        writer.write(f"GET {target} HTTP/1.1\r\nHost: {parts.netloc}\r\nAccept: */*\r\n\r\n".encode())
        version, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
        headers = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if not says_when_it_closes(headers.get("server", "")):
            return False
        is_announced = version.startswith("http/1.0") or "close" in headers.get("connection", "")
        return is_announced or not await _ends_within(reader, CLOSING_SECONDS)
    finally:
        writer.close()


async def _ends_within(reader: asyncio.StreamReader, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            while await reader.read(_PIECE_BYTES):
                pass
    except TimeoutError:
        return False
    return True


def says_when_it_closes(server: str) -> bool:
    """Returns whether a `Server` header, such as `Python/3.13 aiohttp/3.14`, names a known product. Pure."""
    return any(product.partition("/")[0] in KEEPS_CONNECTIONS for product in server.lower().split())
