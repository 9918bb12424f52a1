"""Is a server ready? One `GET` on loopback or elsewhere, with a deadline."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import aiohttp

PROBE_TIMEOUT_SECONDS = 5.0


class ProbeResult(Enum):
    """What a ping showed."""

    READY = "ready"
    NOT_READY = "answers that it is not ready"
    REFUSED = "refuses connections"
    SILENT = "does not answer"


class Prober:
    """Asks servers, over connections that stay open until `aclose`.

    aiohttp is imported with the first question: by then the server that it is about is starting.
    """

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def probe(self, url: str, timeout_seconds: float = PROBE_TIMEOUT_SECONDS) -> ProbeResult:
        """Asks once. READY is any 2xx; never raises."""
        import aiohttp  # noqa: PLC0415  # a tenth of a second

        self._session = self._session or aiohttp.ClientSession()
        try:
            async with self._session.get(
                url, timeout=aiohttp.ClientTimeout(total=timeout_seconds), allow_redirects=False
            ) as answer:
                return ProbeResult.READY if answer.ok else ProbeResult.NOT_READY
        except aiohttp.ClientConnectorError:
            return ProbeResult.REFUSED
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return ProbeResult.SILENT

    async def aclose(self) -> None:
        """Closes the connections."""
        if self._session is not None:
            await self._session.close()
