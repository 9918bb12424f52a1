"""Lambda's runtime API for one function whose answers stream.

Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import contextlib
import json
import queue
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

DEADLINE_SECONDS = 30.0
PRELUDE_TYPE = "application/vnd.awslambda.http-integration-response"
DELIMITER = bytes(8)
_ERROR_TRAILER = "lambda-runtime-function-error-type"


class BrokenAnswerError(Exception):
    """The function failed after its answer had begun, so API Gateway would close the connection."""


class Invocation:
    """One event and the pieces of its answer: bytes, then None or an error."""

    def __init__(self, event: dict[str, Any], timeout_seconds: float) -> None:
        self.event = event
        self.timeout_seconds = timeout_seconds
        self.content_type = ""
        self.pieces: queue.Queue[bytes | BrokenAnswerError | None] = queue.Queue()
        self.left = threading.Event()
        self.done = threading.Event()
        self.hang_up = self.left.set

    def close(self) -> None:
        """The caller leaves: the function's connection is closed under it."""
        self.hang_up()
        self.left.set()

    def __iter__(self) -> Iterator[bytes]:
        while (piece := self.pieces.get(timeout=DEADLINE_SECONDS)) is not None:
            if isinstance(piece, BrokenAnswerError):
                raise piece
            yield piece


class RuntimeApi:
    """Listens on loopback; hands out what is put to `waiting`, one event after the other."""

    def __init__(self) -> None:
        self.waiting: queue.Queue[Invocation | None] = queue.Queue()
        self.running: Invocation | None = None
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.api = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.address = f"127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Ends the function's wait, and closes the port."""
        self.waiting.put(None)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    api: RuntimeApi

    def handle_error(self, *_: object) -> None:
        """Says nothing: a connection that breaks is part of many tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        """`next`: waits for an event."""
        invocation = self.server.api.waiting.get()
        if invocation is None:
            self.close_connection = True
            return
        self.server.api.running = invocation
        deadline = (time.time() + invocation.timeout_seconds) * 1000
        headers = {
            "Content-Type": "application/json",  # without it AWS's own client ends with a segmentation fault
            "Lambda-Runtime-Aws-Request-Id": "one",
            "Lambda-Runtime-Deadline-Ms": str(round(deadline)),
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:0:function:stream",
        }
        self._answer(200, json.dumps(invocation.event).encode(), headers)

    def do_POST(self) -> None:
        """`response`: the pieces of the answer as they come, or the whole of it; `error`: none."""
        invocation = self.server.api.running
        assert invocation is not None
        invocation.content_type = self.headers["Content-Type"]
        if self.headers["Lambda-Runtime-Function-Response-Mode"] != "streaming":
            self._take_whole(invocation)
            return
        invocation.hang_up = self._hang_up
        if invocation.left.is_set():
            self._hang_up()
        try:
            self._read_answer(invocation)
        finally:
            invocation.done.set()

    def _take_whole(self, invocation: Invocation) -> None:
        text = self.rfile.read(int(self.headers["Content-Length"]))
        failed = self.path.endswith("/error")
        invocation.pieces.put(BrokenAnswerError(text.decode()) if failed else text)
        invocation.pieces.put(None)
        self._answer(202, b"", {})
        invocation.done.set()

    def _read_answer(self, invocation: Invocation) -> None:
        try:
            for piece in self._chunks():
                invocation.pieces.put(piece)
            failed = self._trailers().get(_ERROR_TRAILER)
        except (OSError, ValueError):
            failed = "the connection was closed"
        invocation.pieces.put(BrokenAnswerError(failed) if failed else None)
        with contextlib.suppress(OSError):
            self._answer(202, b"", {})

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()

    def _trailers(self) -> dict[str, str]:
        lines = iter(self.rfile.readline, b"\r\n")
        pairs = (line.decode().strip().partition(":") for line in lines if line)
        return {name.lower(): value.strip() for name, _, value in pairs}

    def _hang_up(self) -> None:
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """The tests' output is no log."""
