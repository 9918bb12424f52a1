"""An API for the page alone: its real documents, and models that answer what a test has scripted."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

from centralized_ml_api.api.documents import build_documents
from centralized_ml_api.api.entry_details import load_known
from centralized_ml_api.api.notices import Message, build_message_headers
from centralized_ml_api.config.checks.event.ends import parse_instant
from centralized_ml_api.config.load import load_config
from centralized_ml_api.plan.build import build_plan
from centralized_ml_api.plan.speaks import local_openai_models

if TYPE_CHECKING:
    from pathlib import Path

DEADLINE_SECONDS = 30.0
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Reply:
    """What a model answers: pieces of text as a stream, or an error.

    `gate` is waited for before the last piece, in whose place the connection `breaks`.
    """

    pieces: tuple[str, ...] = ()
    finish: str = "stop"
    status: int = 200
    message: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    gate: threading.Event | None = None
    breaks: bool = False
    thoughts: str = ""


def say(text: str, **more: Any) -> Reply:
    """A reply that comes word by word, as model servers stream."""
    words = text.split(" ")
    return Reply(tuple([f"{word} " for word in words[:-1]] + words[-1:]), **more)


class PageServer:
    """Serves the page of a config. `replies` are by question; each is used once, the last for good."""

    def __init__(self, folder: Path, config: dict[str, Any], key: str = "") -> None:
        path = folder / "models.json"
        path.write_text(json.dumps(config))
        plan = build_plan(load_config(path, now=NOW))
        known = replace(load_known(plan), sleeping={"other": {"state": "asleep", "wakes_in_seconds": 20}})
        documents = build_documents(plan, local_openai_models(plan), known=known)
        self.documents = {document.path: document for document in documents}
        self.key = key
        self.ends = json.loads(self.documents["/models"].text)["event"]["ends"]
        self.replies: dict[str, list[Reply]] = {}
        self.asked: list[dict[str, Any]] = []
        self.unready: dict[str, str] = {}
        self.asleep: dict[str, str] = {}
        self.message = self.message_at = ""
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.page = self
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def script(self, question: str, *replies: Reply) -> None:
        """Sets what a question is answered with, one reply each time that it is asked."""
        self.replies[question] = [*replies]

    def reply_to(self, question: str) -> Reply:
        """Returns the next reply; the question itself where none is scripted."""
        left = self.replies.get(question)
        if not left:
            return say(f"You said: {question}")
        return left.pop(0) if len(left) > 1 else left[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    page: PageServer

    def handle_error(self, *_: object) -> None:
        """Says nothing: a reader that stops an answer is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        page = self.server.page
        if self.path not in {"/", "/health"} and not self._is_allowed():
            return
        if self.path == "/health":
            told = Message(page.message, parse_instant(page.message_at))
            names = [] if page.key and not self._has_key() else ["chat"]
            headers = {"Content-Type": "application/json", **build_message_headers(told)}
            self._answer(200, headers, {"ready": names, "unready": page.unready, "asleep": page.asleep})
            return
        document = page.documents[self.path]
        headers = {"Content-Type": document.content_type, **dict(document.headers)}
        self._send(200, headers, document.text.encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not self._is_allowed():
            return
        if self.path != "/v1/chat/completions":
            self._send(200, {"Content-Type": self.headers["Content-Type"]}, body)
            return
        asked = json.loads(body)
        self.server.page.asked.append(asked)
        reply = self.server.page.reply_to(_last_question(asked))
        if reply.status != 200:
            error = {"message": reply.message, "type": "t", "code": "c", "request_id": "req-1"}
            self._answer(
                reply.status, {"Content-Type": "application/json", **reply.headers}, {"error": error}
            )
        else:
            self._stream(reply)

    def _stream(self, reply: Reply) -> None:
        self._head(200, {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"})
        if reply.thoughts:
            self._event({"choices": [{"delta": {"reasoning_content": reply.thoughts}}]})
        for index, piece in enumerate(reply.pieces):
            if reply.gate and index == len(reply.pieces) - 1:
                reply.gate.wait(DEADLINE_SECONDS)
                if reply.breaks:
                    self.close_connection = True
                    return
            self._event({"choices": [{"delta": {"content": piece}}]})
        self._event({"choices": [{"delta": {}, "finish_reason": reply.finish}]})
        count = len(reply.pieces)
        self._event({"choices": [], "usage": {"completion_tokens": count, "total_tokens": count + 9}})
        self._chunk(b"data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")

    def _event(self, value: dict[str, Any]) -> None:
        self._chunk(b"data: " + json.dumps(value).encode() + b"\n\n")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def _has_key(self) -> bool:
        return self.headers.get("x-api-key") == self.server.page.key

    def _is_allowed(self) -> bool:
        if not self.server.page.key or self._has_key():
            return True
        error = {
            "message": "A valid key is needed.",
            "type": "t",
            "code": "unauthorized",
            "request_id": "req-1",
        }
        self._answer(401, {"Content-Type": "application/json"}, {"error": error})
        return False

    def _answer(self, status: int, headers: Mapping[str, str], value: Any) -> None:
        self._send(status, headers, json.dumps(value).encode())

    def _send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self._head(status, {**headers, "Content-Length": str(len(body))})
        self.wfile.write(body)

    def _head(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        ends = self.server.page.ends
        for name, value in {**headers, **({"x-event-ends": ends} if ends else {})}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def _last_question(asked: dict[str, Any]) -> str:
    content = asked["messages"][-1]["content"]
    if isinstance(content, list):
        content = next(part["text"] for part in content if part["type"] == "text")
    return str(content)
