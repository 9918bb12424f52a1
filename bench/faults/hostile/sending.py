"""Sends hostile calls with the key of one team, and says what became of each."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING

import aiohttp

from bench.faults.answers import read_answer
from bench.faults.hostile.call import CLOSED, GONE, KEY, Outcome
from centralized_ml_api.api.keys import KEY_HEADER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bench.faults.hostile.call import HostileCall

ANSWER_SECONDS = 120.0
_KEPT_BYTES = 1 << 20
"""How much of a response is kept: the rest of a large one only has to be read."""

_PIECE_BYTES = 1 << 16


async def send(call: HostileCall, port: int, key: str) -> list[Outcome]:
    """Sends a call, in as many copies as it has; returns what became of each.

    Raises:
        TimeoutError: The API leaves one without a response for `ANSWER_SECONDS`.
    """
    async with asyncio.timeout(ANSWER_SECONDS):
        if call.beginning is not None:
            beginning = call.beginning.replace(KEY, key.encode())
            return await asyncio.gather(*(_begin(port, beginning) for _ in range(call.copies)))
        body = call.build_body()
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        async with aiohttp.ClientSession(connector=connector) as session:
            return await asyncio.gather(*(_post(session, call, body, port, key) for _ in range(call.copies)))


async def _post(
    session: aiohttp.ClientSession, call: HostileCall, body: bytes, port: int, key: str
) -> Outcome:
    headers = {**call.headers, **({KEY_HEADER: key} if call.has_key else {})}
    data = _cut(body) if call.chunked else io.BytesIO(body)
    patience = call.hang_up_ms / 1000 if call.hang_up_ms is not None else None
    try:
        async with (
            asyncio.timeout(patience),
            session.post(f"http://127.0.0.1:{port}{call.path}", data=data, headers=headers) as response,
        ):
            return Outcome(
                response.status, await _read(response.content), response.headers.get("Retry-After", "")
            )
    except TimeoutError:
        if patience is None:
            raise
        return Outcome(GONE)
    except aiohttp.ClientError:
        return Outcome(CLOSED)


async def _cut(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), _PIECE_BYTES):
        yield body[start : start + _PIECE_BYTES]


async def _read(content: aiohttp.StreamReader) -> bytes:
    """Reads all of a response; returns its beginning, whole if it is no longer than `_KEPT_BYTES`."""
    kept = bytearray()
    async for piece in content.iter_any():
        if len(kept) < _KEPT_BYTES:
            kept += piece
    return bytes(kept) if len(kept) < _KEPT_BYTES else b""


async def _begin(port: int, beginning: bytes) -> Outcome:
    """Sends a beginning and nothing more; returns when the API has answered it or closed the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    raw = b""
    try:
        writer.write(beginning)
        while read_answer(raw) is None and (piece := await reader.read(_PIECE_BYTES)):
            raw += piece
    except ConnectionError:
        pass
    finally:
        writer.transport.abort()
    answer = read_answer(raw)
    return Outcome(answer.status, answer.body) if answer else Outcome(CLOSED)
