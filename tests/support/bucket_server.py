"""JumpStart's bucket on a loopback port: it serves a folder with ETags, or refuses, or says nothing."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

from support.loopback import LoopbackServer

if TYPE_CHECKING:
    from pathlib import Path


class BucketServer(LoopbackServer):
    """Serves the files of a folder.

    `statuses` counts what was answered; `status` refuses everything with it; `body` is served in place of
    every file; `silent` takes connections and answers nothing until the server closes.
    """

    def __init__(
        self, folder: Path, *, status: int = 200, body: bytes | None = None, silent: bool = False
    ) -> None:
        self.statuses: Counter[int] = Counter()
        self.status = status
        self.body = body
        self._folder = folder
        self._silent = silent
        self._closing = threading.Event()
        super().__init__(self._handler())

    def let_go(self) -> None:
        self._closing.set()

    def answer(self, path: str, etag_there: str | None) -> tuple[int, str, bytes]:
        """Status, ETag and body for a request."""
        file = self._folder / path.lstrip("/")
        if self.status != 200:
            return self.status, "", b"refused"
        if self.body is None and not file.is_file():
            return 404, "", b""
        body = file.read_bytes() if self.body is None else self.body
        etag = f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
        return (304, etag, b"") if etag == etag_there else (200, etag, body)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # http.server's name
                if server._silent:
                    server._closing.wait()
                    return
                status, etag, body = server.answer(self.path, self.headers["If-None-Match"])
                server.statuses[status] += 1
                self.send_response(status)
                self.send_header("ETag", etag)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nothing."""

        return Handler
