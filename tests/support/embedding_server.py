"""A model server that embeds, as a program: OpenAI's body in and out, each text's vector from its digest."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import struct
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def embed(text: str) -> list[float]:
    """A vector of length one: the same for the same text."""
    numbers = [byte - 127.5 for byte in hashlib.sha256(text.encode()).digest()]
    length = math.hypot(*numbers)
    return [number / length for number in numbers]


def build_answer(asked: dict[str, Any]) -> dict[str, Any]:
    """One vector a text, as numbers or as the base64 that OpenAI's client asks for."""
    texts = asked["input"] if isinstance(asked["input"], list) else [asked["input"]]
    vectors = [embed(text) for text in texts]
    shown = [_packed(one) if asked.get("encoding_format") == "base64" else one for one in vectors]
    data = [{"object": "embedding", "index": index, "embedding": one} for index, one in enumerate(shown)]
    usage = {"prompt_tokens": len(texts), "total_tokens": len(texts)}
    return {"object": "list", "model": asked["model"], "data": data, "usage": usage}


def _packed(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(b"ok")

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer(json.dumps(build_answer(asked)).encode())

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), _Handler).serve_forever()
