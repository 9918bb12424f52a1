"""An HTTP server that closes a connection after each answer without having said so, as cpp-httplib does.

It closes when the next request arrives on it, the worst moment: nobody can know whether that was read.
"""

from __future__ import annotations

import socketserver
import threading
from typing import Self


class ClosingServer:
    """Listens on `port` of loopback until `close`; `bodies` are those that it answered, each with itself."""

    def __init__(self, port: int = 0) -> None:
        self.bodies: list[bytes] = []
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.bodies = self.bodies
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        """Closes the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    bodies: list[bytes]


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        length = 0
        while (line := self.rfile.readline().strip()) != b"":
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        body = self.rfile.read(length)
        self.server.bodies.append(body)
        chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk)
        self.connection.recv(1)
