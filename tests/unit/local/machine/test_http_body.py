"""Bodies of responses as servers send them: in chunks, with their length, or until they close."""

from __future__ import annotations

import asyncio

import pytest

from centralized_ml_api.local.machine.http_body import read_body
from centralized_ml_api.local.machine.http_head import HEAD_END, read_head

CHUNKED = b"transfer-encoding: gzip, Chunked"


def read(status: int, header: bytes, sent: bytes) -> bytes:
    """The body that is read of what was sent behind a head, before the connection ended."""

    async def main() -> bytes:
        reader = asyncio.StreamReader()
        reader.feed_data(sent)
        reader.feed_eof()
        head = read_head(b"HTTP/1.1 %d\r\n" % status + header + HEAD_END)
        return b"".join([piece async for piece in read_body(reader, head)])

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("header", "sent", "body"),
    [
        (b"content-length: 3", b"abcdef", b"abc"),
        (b"content-length: 0", b"abc", b""),
        (b"a: b", b"abc", b"abc"),
        (CHUNKED, b"3\r\nabc\r\n0\r\n\r\n", b"abc"),
        (CHUNKED, b"00a ;x=1\r\n0123456789\r\n1\r\n!\r\n0\r\n\r\nmore", b"0123456789!"),
        (CHUNKED, b"1\r\na\r\n0\r\nx-sum: 1\r\ny: 2\r\n\r\n", b"a"),
        (CHUNKED + b"\r\ncontent-length: 9", b"1\r\na\r\n0\r\n\r\n", b"a"),
    ],
)
def test_a_body_ends_where_its_head_or_its_chunks_say(header: bytes, sent: bytes, body: bytes) -> None:
    assert read(200, header, sent) == body


@pytest.mark.parametrize("status", [204, 304])
def test_some_answers_have_none(status: int) -> None:
    assert read(status, b"content-length: 3", b"abc") == b""


@pytest.mark.parametrize(
    ("header", "sent", "error"),
    [
        (b"content-length: 4", b"abc", asyncio.IncompleteReadError),
        (b"content-length: -1", b"abc", ValueError),
        (b"content-length: many", b"abc", ValueError),
        (CHUNKED, b"3\r\nab", asyncio.IncompleteReadError),
        (CHUNKED, b"3\r\nabc\r\n", asyncio.IncompleteReadError),
        (CHUNKED, b"0\r\n", asyncio.IncompleteReadError),
        (CHUNKED, b"3\r\nabcdef\r\n0\r\n\r\n", ValueError),
        (CHUNKED, b"-1\r\n\r\n", ValueError),
        (CHUNKED, b"three\r\nabc\r\n0\r\n\r\n", ValueError),
        (CHUNKED, b"1" * 70_000 + b"\r\n", (asyncio.LimitOverrunError, ValueError)),
    ],
)
def test_what_breaks_off_or_is_none_is_an_error(
    header: bytes, sent: bytes, error: type[Exception] | tuple[type[Exception], ...]
) -> None:
    with pytest.raises(error):
        read(200, header, sent)
