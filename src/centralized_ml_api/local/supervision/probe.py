"""Probes a server: decides from one request or connection, with a deadline, whether it is ready."""

from __future__ import annotations

import asyncio
from enum import Enum
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import aiohttp

PROBE_TIMEOUT_SECONDS = 5.0


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

    async def probe(self, url: str, timeout_seconds: float = PROBE_TIMEOUT_SECONDS) -> ProbeResult:
        """Sends one `GET`; any 2xx means READY. Never raises."""
        import aiohttp  # noqa: PLC0415  # a tenth of a second

        self._session = self._session or aiohttp.ClientSession()
        try:
            async with self._session.get(
                url, timeout=aiohttp.ClientTimeout(total=timeout_seconds), allow_redirects=False
            ) as answer:
                ready = HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES
                return ProbeResult.READY if ready else ProbeResult.NOT_READY
        except aiohttp.ClientConnectorError:
            return ProbeResult.REFUSED
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return ProbeResult.SILENT

    async def probe_port(
        self, host: str, port: int, timeout_seconds: float = PROBE_TIMEOUT_SECONDS
    ) -> ProbeResult:
        """Opens one connection and closes it; READY if the port accepts it, else REFUSED. Never raises."""
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), timeout_seconds)
        except (OSError, TimeoutError):
            return ProbeResult.REFUSED
        writer.close()
        return ProbeResult.READY

    async def aclose(self) -> None:
        """Closes the connections."""
        if self._session is not None:
            await self._session.close()
