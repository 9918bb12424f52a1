"""Forms of streamed answers: where a piece of one is whole, and what an error looks like as its last piece.

The same forms as on AWS, where `aws/constructs/stream_function/framing.mjs` has them.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html (an event ends with an empty line) and
https://jsonlines.org
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .answer import closed_after
from .bodies import media_type

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Framing:
    """A form of answers. `before` and `after` stand around an error's JSON that is its last piece."""

    separators: tuple[bytes, ...]
    before: bytes
    after: bytes

    def cut(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """The same bytes, cut where a piece is whole; what is left at a good end passes, at a bad one not."""
        rest = b""
        with closed_after(pieces):
            for piece in pieces:
                rest += piece
                end = max(_end_after(rest, one) for one in self.separators)
                if end:
                    yield rest[:end]
                    rest = rest[end:]
            if rest:
                yield rest

    def render_last(self, body: bytes) -> bytes:
        """An error after the answer has begun."""
        return self.before + body + self.after


_EVENTS = Framing((b"\n\n", b"\r\n\r\n"), b"data: ", b"\n\n")
_LINES = Framing((b"\n",), b"", b"\n")
_BY_TYPE = {
    "text/event-stream": _EVENTS,
    "application/jsonl": _LINES,
    "application/jsonlines": _LINES,
    "application/x-jsonlines": _LINES,
    "application/x-ndjson": _LINES,
}


def find_framing(content_type: str) -> Framing | None:
    """None for a type without such places: there, an answer that fails can only break off."""
    return _BY_TYPE.get(media_type(content_type))


def _end_after(text: bytes, separator: bytes) -> int:
    index = text.rfind(separator)
    return 0 if index < 0 else index + len(separator)
