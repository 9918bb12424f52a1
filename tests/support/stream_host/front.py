"""An HTTP server before the function, as far as API Gateway passes things on: for clients that speak HTTP."""

from __future__ import annotations

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from support.stream_host.event import build_event
from support.stream_host.runtime_api import BrokenAnswerError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.stream_host.host import StreamHost


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    stream_host: StreamHost


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self) -> None:
        """One request: its answer leaves as it comes."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        event = build_event(self.path, headers=dict(self.headers.items()))
        event["body"] = body.decode()
        answer = self.server.stream_host.invoke(event)
        self.send_response(answer.status)
        for name, value in {**answer.headers, "Transfer-Encoding": "chunked"}.items():
            self.send_header(name, value)
        self.end_headers()
        self.close_connection = True
        with contextlib.suppress(BrokenAnswerError):
            for piece in answer.body:
                self._chunk(piece)
            self._chunk(b"")

    def _chunk(self, piece: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """The tests' output is no log."""


@contextlib.contextmanager
def start_front(host: StreamHost) -> Iterator[str]:
    """The address of a server before this host, until the end of the block."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.stream_host = host
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
