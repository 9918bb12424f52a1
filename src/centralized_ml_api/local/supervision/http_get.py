"""Asks a server by one `GET` on a connection of its own, as far as a probe has to know HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import ssl
from http import HTTPStatus
from typing import Self
from urllib.parse import quote, urlsplit

from centralized_ml_api.local.machine.http_body import read_body
from centralized_ml_api.local.machine.http_head import HEAD_END, ResponseHead, read_head

BODY_BYTES = 1024 * 1024
"""The most that is read of an answer."""

END_SECONDS = 0.1
"""How long to wait for the end of an answer that nobody needs."""

_PIECE_BYTES = 65536
_PATH_CHARACTERS = "/%:@!$&'()*+,;=~?"


class Connection:
    """A connection to the server of a URL. Whoever uses it sets a time limit, and closes it."""

    def __init__(self, url: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._url, self._reader, self._writer = urlsplit(url), reader, writer

    @classmethod
    async def open(cls, url: str) -> Self:
        """Connects to the server.

        Raises:
            OSError: The server cannot be reached, or its certificate is not trusted.
            ValueError: The URL is not one of HTTP.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"{url} is not an address of HTTP")
        is_tls = parts.scheme == "https"
        reader, writer = await asyncio.open_connection(
            parts.hostname,
            parts.port or (443 if is_tls else 80),
            ssl=_build_context() if is_tls else None,
        )
        return cls(url, reader, writer)

    async def get(self, *, closes: bool) -> ResponseHead:
        """Sends the request and reads the head of its answer.

        Args:
            closes: Whether the server is asked to close the connection behind its answer.

        Raises:
            OSError: The connection broke.
            ValueError: The answer is not HTTP.
            asyncio.IncompleteReadError: It ended too soon.
            asyncio.LimitOverrunError: Its head is too long.
        """
        query = f"?{self._url.query}" if self._url.query else ""
        target = quote(f"{self._url.path or '/'}{query}", safe=_PATH_CHARACTERS)
        closing = "Connection: close\r\n" if closes else ""
        head = f"GET {target} HTTP/1.1\r\nHost: {self._url.netloc}\r\nAccept: */*\r\n{closing}\r\n"
        self._writer.write(head.encode())
        answer = await self._read_head()
        while answer.status < HTTPStatus.OK:  # interim
            answer = await self._read_head()
        return answer

    async def _read_head(self) -> ResponseHead:
        return read_head(await self._reader.readuntil(HEAD_END))

    async def read(self, answer: ResponseHead) -> bytes:
        """Reads the body.

        Raises:
            OSError: The connection broke.
            ValueError: The body is not HTTP, or has more than `BODY_BYTES`.
            asyncio.IncompleteReadError: It ended too soon.
            asyncio.LimitOverrunError: A line between chunks is too long.
        """
        body = bytearray()
        async with contextlib.aclosing(read_body(self._reader, answer)) as pieces:
            async for piece in pieces:
                body += piece
                if len(body) > BODY_BYTES:
                    raise ValueError(f"the body has more than {BODY_BYTES} bytes")
        return bytes(body)

    async def drop(self, answer: ResponseHead) -> None:
        """Reads the body for a moment: a server may complain of who leaves before the end. Never raises."""
        with contextlib.suppress(OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            async with asyncio.timeout(END_SECONDS):
                await self.read(answer)

    async def ends_within(self, seconds: float) -> bool:
        """Returns whether the server closes the connection in that time.

        Raises:
            OSError: The connection broke.
        """
        try:
            async with asyncio.timeout(seconds):
                while await self._reader.read(_PIECE_BYTES):
                    pass
        except TimeoutError:
            return False
        return True

    def close(self) -> None:
        """Closes the connection."""
        self._writer.close()


@functools.cache
def _build_context() -> ssl.SSLContext:
    """Builds what trusts the certificates of this machine, once: it reads all of them."""
    return ssl.create_default_context()
