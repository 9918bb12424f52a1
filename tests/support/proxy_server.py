"""An HTTP proxy on a free loopback port that may demand credentials; behind it, every name is one server."""

from __future__ import annotations

import base64
import socket
import threading
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from support.loopback import LoopbackServer

if TYPE_CHECKING:
    import pytest


def clear_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Removes the proxies of this machine from the environment of a test."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


class ProxyServer(LoopbackServer):
    """Forwards requests, and connects with CONNECT, to `upstream_port` of this machine whatever they ask for.

    `seen` has each target that came with the right credentials; `refused` counts what came without them.
    `credentials` is USER:PASSWORD, empty for a proxy that demands none. A `connect_status` other than 200
    answers every CONNECT.
    """

    def __init__(self, upstream_port: int, credentials: str = "") -> None:
        self.upstream_port = upstream_port
        self.credentials = credentials
        self.seen: list[str] = []
        self.refused = 0
        self.connect_status = 200
        super().__init__(self._handler())

    @property
    def url_with_credentials(self) -> str:
        """Its address as a user writes it into `https_proxy`."""
        user, _, password = self.credentials.partition(":")
        return f"http://{quote(user, safe='')}:{quote(password, safe='')}@127.0.0.1:{self.port}"

    def admits(self, request: BaseHTTPRequestHandler) -> bool:
        """Whether a request has the credentials; one that has not is answered with 407."""
        expected = f"Basic {base64.b64encode(self.credentials.encode()).decode()}"
        if not self.credentials or request.headers.get("Proxy-Authorization") == expected:
            self.seen.append(request.path)
            return True
        self.refused += 1
        request.send_response(407, "Proxy Authentication Required")
        request.send_header("Proxy-Authenticate", 'Basic realm="tests"')
        request.send_header("Content-Length", "0")
        request.end_headers()
        return False

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_CONNECT(self) -> None:  # http.server's name
                if not server.admits(self):
                    return
                self.send_response(server.connect_status)
                self.end_headers()
                if server.connect_status == 200:
                    with socket.create_connection(("127.0.0.1", server.upstream_port)) as upstream:
                        _relay(self.connection, upstream)

            def do_GET(self) -> None:
                if not server.admits(self):
                    return
                target = urlsplit(self.path)
                upstream = HTTPConnection("127.0.0.1", server.upstream_port)
                kept = {name: text for name, text in self.headers.items() if not name.startswith("Proxy-")}
                upstream.request("GET", target.path, headers=kept)
                answer = upstream.getresponse()
                self.send_response(answer.status)
                for name, text in answer.getheaders():
                    self.send_header(name, text)
                self.end_headers()
                self.wfile.write(answer.read())
                upstream.close()

            def log_message(self, *_: object) -> None:
                """Nothing."""

        return Handler


def _relay(client: socket.socket, upstream: socket.socket) -> None:
    """Copies both ways until one side has ended."""
    back = threading.Thread(target=_copy, args=(upstream, client))
    back.start()
    _copy(client, upstream)
    back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
    except OSError:  # the other side is gone
        target.close()
