"""An HTTP server whose path says what it does, well or badly; it remembers every request it got.

/echo            what arrived, as JSON: method, path, headers, length and sha256 of the body, own port
/same            the body and its Content-Type, unchanged
/status/418      that status, with headers that must and must not pass
/refuse/422      that status, with an error in JSON
/aws/400         that status, with an error of SageMaker's runtime
/gzip            a gzip body that says so
/redirect        302
/large/1000, /large-chunked/1000   that many bytes, with and without a length
/hang            nothing, until the server is closed
/half, /half-large, /half-chunked, /half-hang   the head and half a body; then closes, or hangs
/close           closes without a word
/garbage         something that is not HTTP
/steps           "one", then "two" once `steps` is set, chunked
/events          the same as server-sent events, and the end of OpenAI's
/cut             the first of these events, and no end
/models          `catalogue` as JSON, where a test gave one; at /v1/models too
/chat            the last message back as OpenAI's chat completion, whole or, with `stream`, word by word
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DEADLINE_SECONDS = 30.0
GZIPPED = gzip.compress(b'{"zipped": true}', mtime=0)
REFUSAL = b'{"detail": "it\'s \\"wrong\\": \xc3\xa9"}'
AWS_REFUSAL = b'{"ErrorCode": "ModelError", "Message": "Received client error (400) from primary"}'
OWN_HEADERS = {
    "Content-Type": "text/plain; charset=utf-8",
    "X-Amzn-SageMaker-Custom-Attributes": "trace=1",
    "Retry-After": "7",
    "Server": "secret/1.0",
    "WWW-Authenticate": 'Basic realm="your password, please"',
    "Set-Cookie": "session=1",
    "X-Powered-By": "a model",
    "X-Envoy-Upstream-Service-Time": "1",
    "X-Request-Id": "the-models-own",
    "Access-Control-Allow-Origin": "https://only.example",
}


class OddServer:
    """Listens on `port` of loopback from construction to `close`."""

    def __init__(self, port: int = 0) -> None:
        self.asked: list[str] = []
        self.connections = 0
        self.catalogue: dict[str, Any] | None = None
        self.released = threading.Event()
        self.steps = threading.Event()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.odd = self
        self.port: int = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        """Closes the port; requests that hang end."""
        self.released.set()
        self.steps.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _parse(body: bytes) -> Any:
    """A body, however deep: a thousand levels are more than Python recurses by itself."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(10_000)
    try:
        return json.loads(body)
    finally:
        sys.setrecursionlimit(limit)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    odd: OddServer

    def process_request(self, request: Any, client_address: Any) -> None:
        self.odd.connections += 1
        super().process_request(request, client_address)

    def handle_error(self, *_: object) -> None:
        """Says nothing: that the gateway gives up on an answer is part of many tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 5  # as uvicorn and cpp-httplib: an idle connection is closed
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.odd.asked.append(self.path)
        what, _, detail = self.path.partition("?")[0].strip("/").partition("/")
        acts: dict[str, Callable[[], None]] = {
            "same": lambda: self._answer(200, {"Content-Type": self.headers["Content-Type"]}, body),
            "status": lambda: self._answer(int(detail), OWN_HEADERS, b"as it is: \xff"),
            "refuse": lambda: self._answer(int(detail), {"Content-Type": "application/json"}, REFUSAL),
            "aws": lambda: self._answer(int(detail), {"Content-Type": "application/json"}, AWS_REFUSAL),
            "gzip": lambda: self._answer(200, {"Content-Type": "application/json"}, GZIPPED),
            "redirect": lambda: self._answer(302, {"Location": "http://elsewhere.example/"}, b""),
            "large": lambda: self._answer(200, {}, bytes(int(detail))),
            "large-chunked": lambda: self._large_chunked(int(detail)),
            "hang": self._hang,
            "half": lambda: self._half({"Content-Length": "100"}, b"half"),
            "half-large": lambda: self._half({"Content-Length": "100000000"}, b"half"),
            "half-chunked": lambda: self._half({"Transfer-Encoding": "chunked"}, b"4\r\nhalf\r\n"),
            "half-hang": self._half_hang,
            "close": self._close,
            "garbage": self._garbage,
            "steps": self._steps,
            "events": self._events,
            "cut": self._cut,
            "chat": lambda: self._chat(_parse(body)),
        }
        if self.server.odd.catalogue is not None:
            catalogue = json.dumps(self.server.odd.catalogue).encode()
            acts["models"] = lambda: self._answer(200, {"Content-Type": "application/json"}, catalogue)
            if detail == "models":
                acts["v1"] = acts["models"]
        acts.get(what, lambda: self._echo(body))()

    do_GET = do_POST  # noqa: N815

    def _echo(self, body: bytes) -> None:
        what: dict[str, Any] = {
            "method": self.command,
            "path": self.path,
            "headers": [[name.lower(), value] for name, value in self.headers.items()],
            "length": len(body),
            "sha256": hashlib.sha256(body).hexdigest(),
            "port": self.server.odd.port,
        }
        self._answer(200, {"Content-Type": "application/json"}, json.dumps(what).encode())

    def _answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self._head(status, {**headers, "Content-Length": str(len(body))})
        self.wfile.write(body)

    def _head(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.flush()

    def _large_chunked(self, length: int) -> None:
        self._head(200, {"Transfer-Encoding": "chunked"})
        with contextlib.suppress(ConnectionError):  # nobody wants that much
            self.wfile.write(b"%x\r\n%b\r\n0\r\n\r\n" % (length, bytes(length)))

    def _hang(self) -> None:
        self.server.odd.released.wait(DEADLINE_SECONDS)
        self._close()

    def _half(self, headers: Mapping[str, str], body: bytes) -> None:
        self._head(200, headers)
        self.wfile.write(body)
        self._close()

    def _half_hang(self) -> None:
        self._head(200, {"Content-Length": "100"})
        self.wfile.write(b"half")
        self._hang()

    def _garbage(self) -> None:
        self.wfile.write(b"this is not HTTP\r\n\r\n")
        self._close()

    def _steps(self) -> None:
        self._head(200, {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"})
        self.wfile.write(b"3\r\none\r\n")
        self.wfile.flush()
        self.server.odd.steps.wait(DEADLINE_SECONDS)
        self.wfile.write(b"3\r\ntwo\r\n0\r\n\r\n")

    def _events(self) -> None:
        self._begin_events()
        self._send_event("one")
        self.server.odd.steps.wait(DEADLINE_SECONDS)
        self._send_event("two")
        self._end_events()

    def _cut(self) -> None:
        self._begin_events()
        self._send_event("one")
        self._close()

    def _chat(self, asked: dict[str, Any]) -> None:
        try:
            words = str(asked["messages"][-1]["content"])
        except (LookupError, TypeError):  # as a real one refuses what is no chat
            self._answer(400, {"Content-Type": "application/json"}, REFUSAL)
            return
        said = {"id": "one", "created": 0, "model": asked.get("model", "its own")}
        if not asked.get("stream"):
            choice = {"index": 0, "message": {"role": "assistant", "content": words}, "finish_reason": "stop"}
            whole = {**said, "object": "chat.completion", "choices": [choice]}
            self._answer(200, {"Content-Type": "application/json"}, _render_json(whole).encode())
            return
        self._begin_events()
        for word in words.split():
            piece = {"index": 0, "delta": {"role": "assistant", "content": word}, "finish_reason": None}
            self._send_event(_render_json({**said, "object": "chat.completion.chunk", "choices": [piece]}))
        self._end_events()

    def _begin_events(self) -> None:
        self._head(200, {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"})

    def _send_event(self, data: str) -> None:
        event = f"data: {data}\n\n".encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
        self.wfile.flush()

    def _end_events(self) -> None:
        self._send_event("[DONE]")
        self.wfile.write(b"0\r\n\r\n")

    def _close(self) -> None:
        self.wfile.flush()
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def _render_json(value: Any) -> str:
    """Renders JSON without escapes for letters such as é, as model servers do."""
    return json.dumps(value, ensure_ascii=False)


def main() -> None:
    """Serves on the port of the command line until killed: the server as a program."""
    with OddServer(int(sys.argv[1])):
        threading.Event().wait()


if __name__ == "__main__":
    main()
