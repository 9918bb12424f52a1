"""A web server on a free loopback port that serves bytes, and misbehaves when it is told to."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

from support.loopback import LoopbackServer

if TYPE_CHECKING:
    import ssl


@dataclass(frozen=True)
class Answer:
    """How one request is answered; `failure` is the body of any other status than 200.

    Without `asks_version` it continues a file that has changed (ignores If-Range).
    `cut_after` closes the connection after so many bytes, `hold_after` sends so many and waits for `release`.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    ranges: bool = True
    asks_version: bool = True
    length: int | None = None
    says_length: bool = True
    cut_after: int | None = None
    hold_after: int | None = None
    failure: bytes = b""
    silent: bool = False


@dataclass(frozen=True)
class Seen:
    """One request as it came."""

    target: str
    headers: Message


class FileServer(LoopbackServer):
    """Serves `body` at every path; `answers` are used up first, one a request."""

    def __init__(self, body: bytes = b"", *, etag: str = '"one"') -> None:
        self.body = body
        self.etag = etag
        self.usual = Answer()
        self.answers: deque[Answer] = deque()
        self.seen: list[Seen] = []
        self.holding = threading.Event()
        self.release = threading.Event()
        super().__init__(self._handler())

    def serve_tls(self, context: ssl.SSLContext) -> None:
        """Answers over TLS; to be called before it runs."""
        self._http.socket = context.wrap_socket(self._http.socket, server_side=True)

    def let_go(self) -> None:
        self.release.set()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.answer(self)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.seen.append(Seen(request.path, request.headers))
        answer = self.answers.popleft() if self.answers else self.usual
        if answer.silent:
            self._hold()
            return
        start = self._start(request, answer)
        body = self.body[start:] if answer.status == 200 else answer.failure
        self._send_head(request, answer, start, len(body))
        with contextlib.suppress(ConnectionError):  # the client left, as some tests make it
            self._send_body(request, answer, body)

    def _start(self, request: BaseHTTPRequestHandler, answer: Answer) -> int:
        wanted = request.headers.get("Range", "")
        same = not answer.asks_version or request.headers.get("If-Range", self.etag) == self.etag
        if not (answer.ranges and same and wanted.startswith("bytes=")):
            return 0
        return int(wanted.removeprefix("bytes=").partition("-")[0])

    def _send_head(self, request: BaseHTTPRequestHandler, answer: Answer, start: int, length: int) -> None:
        request.send_response(206 if start else answer.status)
        if self.etag:
            request.send_header("ETag", self.etag)
        if start:
            request.send_header("Content-Range", f"bytes {start}-{len(self.body) - 1}/{len(self.body)}")
        if answer.says_length:
            request.send_header("Content-Length", str(length if answer.length is None else answer.length))
        for name, value in answer.headers.items():
            request.send_header(name, value)
        request.end_headers()

    def _send_body(self, request: BaseHTTPRequestHandler, answer: Answer, body: bytes) -> None:
        if answer.hold_after is not None:
            request.wfile.write(body[: answer.hold_after])
            self._hold()
            body = body[answer.hold_after :]
        request.wfile.write(body[: answer.cut_after])

    def _hold(self) -> None:
        self.holding.set()
        self.release.wait(30)
