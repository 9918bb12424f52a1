"""The connections on which Envoy asks: HTTP/1.1 on a Unix socket, one request at a time on each.

No connection is ever closed for being idle: Envoy may be sending on it. Where Envoy closes one, its caller
has left, and what was asked is given up.

Source: https://www.rfc-editor.org/rfc/rfc9112
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.admission.exchange import ENDS_PATH, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    Answer = Callable[[Request], Response | Coroutine[Any, Any, Response]]

BACKLOG = 4096
"""How many may connect at the same moment: as many as there may be clients, or Envoy would refuse calls."""

_HEADER = re.compile(r"^([^:\r\n]+): ([^\r\n]*)", re.MULTILINE)
_HEAD_END = b"\r\n\r\n"


async def start_answering(path: str, answer: Answer, hear: Callable[[bytes], None]) -> asyncio.Server:
    """Listens for Envoy's requests.

    Args:
        path: Of the socket.
        answer: Answers a question, at once or later; cancelled when nobody waits for it any more.
        hear: Takes what Envoy tells of ends.
    """
    loop = asyncio.get_running_loop()
    return await loop.create_unix_server(lambda: _EnvoyConnection(answer, hear), path, backlog=BACKLOG)


class _EnvoyConnection(asyncio.Protocol):
    _transport: asyncio.Transport

    def __init__(self, answer: Answer, hear: Callable[[bytes], None]) -> None:
        self._answer = answer
        self._hear = hear
        self._received = bytearray()
        self._needed = 0
        self._answering: asyncio.Task[Response] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # of a socket
        self._transport = transport

    def connection_lost(self, _: Exception | None) -> None:
        if self._answering is not None:
            self._answering.cancel()

    def data_received(self, data: bytes) -> None:
        self._received += data
        if len(self._received) < self._needed:
            return
        try:
            request, self._needed = read_request(self._received)
        except ValueError:
            self._transport.abort()
            raise
        if request is None:
            return
        self._received, self._needed = bytearray(), 0
        if request.path == ENDS_PATH:
            self._hear(request.body)
            self._transport.write(_HEARD)
            return
        try:
            answer = self._answer(request)
        except BaseException:
            self._transport.abort()  # to Envoy, that is no answer
            raise
        if isinstance(answer, Response):  # most do, and need no task
            self._transport.write(render_response(answer))
        else:
            self._answering = asyncio.create_task(answer)
            self._answering.add_done_callback(self._respond)

    def _respond(self, answering: asyncio.Task[Response]) -> None:
        self._answering = None
        if answering.cancelled():
            return
        try:
            response = answering.result()
        except BaseException:
            self._transport.abort()
            raise
        self._transport.write(render_response(response))


def read_request(received: bytearray) -> tuple[Request | None, int]:
    """Reads the one request in what was received. Pure.

    Returns the request, and 0; while it is not complete, None, and how many bytes there must be at least.

    Raises:
        ValueError: It is no HTTP.
    """
    head_end = received.find(_HEAD_END)
    if head_end < 0:
        return None, len(received) + 1
    # A caller's Content-Type may be no UTF-8.
    first, _, lines = received[:head_end].decode(errors="replace").partition("\r\n")
    found = _HEADER.findall(lines)
    if len(found) != (lines.count("\r\n") + 1 if lines else 0):
        raise ValueError("a line is no header")
    headers = dict(found)
    _, path, _ = first.split(" ")
    start = head_end + len(_HEAD_END)
    if "transfer-encoding" in headers:
        chunks = _read_chunks(received, start)
        return (None, len(received) + 1) if chunks is None else (Request(path, headers, chunks), 0)
    end = start + int(headers.get("content-length", 0))
    if len(received) < end:
        return None, end
    return Request(path, headers, bytes(memoryview(received)[start:end])), 0


def _read_chunks(received: bytearray, start: int) -> bytes | None:
    """Returns a body that comes in chunks; None while it is not complete."""
    body = bytearray()
    while (line_end := received.find(b"\r\n", start)) >= 0:
        length = int(received[start:line_end], 16)
        start = line_end + 2
        if len(received) < start + length + 2:
            return None
        if not length:
            return bytes(body)
        body += received[start : start + length]
        start += length + 2
    return None


def render_response(response: Response) -> bytes:
    """Renders a response as it is sent. Pure."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in response.headers.items())
    head = f"HTTP/1.1 200 OK\r\n{lines}content-length: {len(response.body)}\r\n\r\n"
    return head.encode() + response.body


_HEARD = render_response(Response({}))
