"""What both framings of streams must do: the model server's `answer.py`, and `framing.mjs` on AWS."""

from __future__ import annotations

CUTS: list[tuple[str, list[bytes], list[bytes]]] = [
    ("text/event-stream", [b"data: 1\n\nda", b"ta: 2\n", b"\n"], [b"data: 1\n\n", b"data: 2\n\n"]),
    ("text/event-stream", [b"data: 1\r\n\r", b"\ndata: 2"], [b"data: 1\r\n\r\n", b"data: 2"]),
    ("Text/Event-Stream; charset=utf-8", [b"a\n\nb\r\n\r\nc\n\n"], [b"a\n\nb\r\n\r\nc\n\n"]),
    ("text/event-stream", [b"a\r\n\r\nb\n\nc"], [b"a\r\n\r\nb\n\n", b"c"]),
    ("application/x-ndjson", [b"1", b"2\n3\n4", b"5"], [b"12\n3\n", b"45"]),
    ("application/jsonlines", [], []),
    ("application/jsonl", [b"\n", b"1"], [b"\n", b"1"]),
    ("application/x-jsonlines;charset=utf-8", [b"1\n"], [b"1\n"]),
]
"""The type of an answer, its bytes as they come, and as they must pass: cut where a piece is whole."""

ERRORS = {
    "text/event-stream": b"data: {}\n\n",
    "application/jsonl": b"{}\n",
    "application/x-ndjson": b"{}\n",
}
"""The error `{}` as the last piece, by the type of the answer."""

WITHOUT_PIECES = ("application/octet-stream", "text/plain", "audio/wav", "application/json", "")
"""Types of answers that can only break off."""
