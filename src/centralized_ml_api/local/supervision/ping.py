"""Is a server ready? One `GET` on loopback or elsewhere, with a deadline."""

from __future__ import annotations

from enum import Enum

import aiohttp

PING_TIMEOUT_SECONDS = 5.0


class Pulse(Enum):
    """What a ping showed."""

    READY = "ready"
    NOT_READY = "answers that it is not ready"
    REFUSED = "refuses connections"
    SILENT = "does not answer"


async def ping(
    session: aiohttp.ClientSession, url: str, timeout_seconds: float = PING_TIMEOUT_SECONDS
) -> Pulse:
    """Asks once. READY is any 2xx; never raises."""
    try:
        async with session.get(
            url, timeout=aiohttp.ClientTimeout(total=timeout_seconds), allow_redirects=False
        ) as answer:
            return Pulse.READY if answer.ok else Pulse.NOT_READY
    except aiohttp.ClientConnectorError:
        return Pulse.REFUSED
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return Pulse.SILENT
