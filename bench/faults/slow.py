"""Slow clients: they send a byte now and then, of headers or a body that never end."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.faults.answers import read_answer
from bench.faults.malformed_kinds import HOST, build_request

if TYPE_CHECKING:
    from collections.abc import Sequence

PAUSE_SECONDS = 0.5
GIVE_UP_SECONDS = 120.0
HEADERS = b"POST /model HTTP/1.1\r\nHost: x\r\nX-Slow: "
BODY = build_request(b"/model", HOST, b"Content-Length: 100000", body=b"{")
FUNCTION_BODY = build_request(b"/function", HOST, b"Content-Length: 100000", body=b"{")


@dataclass(slots=True)
class Dawdled:
    """How the API responded to slow clients; `held` clients got no response and kept their connection."""

    clients: int = 0
    held: int = 0
    out_of_shape: int = 0
    statuses: Counter[int] = field(default_factory=Counter)


async def dawdle(port: int, beginnings: Sequence[bytes]) -> Dawdled:
    """Runs a client for each beginning of a request; returns when all got a response or gave up."""
    dawdled = Dawdled(len(beginnings))
    for answer in await asyncio.gather(*(_dawdle(port, beginning) for beginning in beginnings)):
        found = read_answer(answer)
        if found is None:
            dawdled.held += 1
        else:
            dawdled.statuses[found.status] += 1
            dawdled.out_of_shape += not found.in_shape
    return dawdled


async def _dawdle(port: int, beginning: bytes) -> bytes:
    """Returns what came until the connection was closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(beginning)
    answering = asyncio.create_task(_read_all(reader))
    try:
        async with asyncio.timeout(GIVE_UP_SECONDS):
            while not answering.done():
                writer.write(b"x")
                await asyncio.wait({answering}, timeout=PAUSE_SECONDS)
            return await answering
    except TimeoutError:
        return b""
    finally:
        answering.cancel()
        writer.transport.abort()


async def _read_all(reader: asyncio.StreamReader) -> bytes:
    raw = b""
    try:
        while read_answer(raw) is None and (piece := await reader.read(65536)):
            raw += piece
    except OSError:
        pass
    return raw
