"""Reads the body of an HTTP response, for all who ask by hand.

Source: https://www.rfc-editor.org/rfc/rfc9112#section-6 and #section-7.1
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from centralized_ml_api.local.machine.http_head import ResponseHead

_PIECE_BYTES = 256 * 1024
_WITHOUT_BODY = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
_LINE_END = b"\r\n"


async def read_body(reader: asyncio.StreamReader, head: ResponseHead) -> AsyncGenerator[bytes]:
    """Yields the body of the answer to a request that was not a `HEAD`.

    It comes in chunks, or has the length that the head tells, or else ends with the connection.

    Args:
        reader: Behind the head.
        head: The head.

    Raises:
        OSError: The connection broke.
        ValueError: The body is not HTTP, or its length is no number.
        asyncio.IncompleteReadError: It ended too soon.
        asyncio.LimitOverrunError: A line between chunks is too long.
    """
    if head.status in _WITHOUT_BODY:
        return
    if head.is_chunked:
        async for piece in _read_chunks(reader):
            yield piece
    elif length := head.header("content-length"):
        async for piece in _read_exactly(reader, _parse_size(length, 10)):
            yield piece
    else:
        while piece := await reader.read(_PIECE_BYTES):
            yield piece


async def _read_chunks(reader: asyncio.StreamReader) -> AsyncGenerator[bytes]:
    while size := _parse_size((await reader.readuntil(_LINE_END)).partition(b";")[0].decode("ascii"), 16):
        async for piece in _read_exactly(reader, size):
            yield piece
        if await reader.readexactly(len(_LINE_END)) != _LINE_END:
            raise ValueError("a chunk is longer than it says")
    while await reader.readuntil(_LINE_END) != _LINE_END:
        pass  # a trailer, which nobody needs


async def _read_exactly(reader: asyncio.StreamReader, size: int) -> AsyncGenerator[bytes]:
    while size:
        piece = await reader.read(min(size, _PIECE_BYTES))
        if not piece:
            raise asyncio.IncompleteReadError(b"", size)
        size -= len(piece)
        yield piece


def _parse_size(text: str, base: int) -> int:
    size = int(text, base)
    if size < 0:
        raise ValueError(f"a body of {size} bytes")
    return size
