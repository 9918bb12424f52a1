"""A model that starts when it may: `python bench/programs/gated_model.py PORT GATE [ANYTHING …]`.

It waits until nobody holds the exclusive lock of the file `GATE`, and then serves `GET /ping` and
`POST /invocations`. If the file says `fail` by then, it ends with status 3 instead.
"""

from __future__ import annotations

import fcntl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FAIL = "fail"
FAILED_STATUS = 3


class Handler(BaseHTTPRequestHandler):
    """Answers every request with an empty JSON object."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answers."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_POST = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Says nothing of each request."""


if __name__ == "__main__":
    with Path(sys.argv[2]).open(encoding="utf-8") as gate:
        fcntl.flock(gate, fcntl.LOCK_SH)
        word = gate.read()
    if word == FAIL:
        sys.exit(FAILED_STATUS)
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
