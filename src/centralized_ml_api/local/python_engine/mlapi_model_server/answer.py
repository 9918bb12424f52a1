"""What a call is answered with: a head, and a body at once or in pieces; where a streamed piece ends.

The framings of streams are the same as on AWS, where `aws/constructs/stream_function/framing.mjs` has them.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html (an event ends with an empty line) and
https://jsonlines.org
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

JSON = "application/json"
ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
"""The one header of a model that reaches callers, on AWS and here."""


@dataclass(frozen=True, slots=True)
class Head:
    """Status and headers. `length` is the body's in bytes; None for a body in pieces."""

    status: int
    content_type: str
    length: int | None
    attributes: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A head, and the pieces of the body, none of them empty."""

    head: Head
    pieces: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class Framing:
    """How a stream is cut. `before` and `after` go around an error's JSON that is its last piece."""

    separators: tuple[bytes, ...]
    before: bytes
    after: bytes

    def cut(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Yields the same bytes, cut where a piece ends; the rest follows unless `pieces` fails."""
        rest = b""
        with closed_after(pieces):
            for piece in pieces:
                rest += piece
                end = max(_end_after(rest, separator) for separator in self.separators)
                if end:
                    yield rest[:end]
                    rest = rest[end:]
            if rest:
                yield rest

    def render_last(self, body: bytes) -> bytes:
        """Returns the last piece of an answer that fails after it has begun; `body` is the error's JSON."""
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


@contextmanager
def closed_after(pieces: Iterator[object]) -> Iterator[None]:
    """Closes a generator when its reader stops, rather than when it is garbage-collected."""
    try:
        yield
    finally:
        close = getattr(pieces, "close", None)
        if callable(close):
            close()


def build_answer(result: object, content_type: str, headers: Mapping[str, str]) -> Answer:
    """Builds the answer from what `output_fn` or `transform_fn` returned.

    Args:
        result: Bytes or text; an iterator of those, whose pieces are sent as they come; or a pair of one of
            these and a content type.
        content_type: The one of the answer, where `result` does not name one.
        headers: What the model set; of these, its custom attributes are kept.

    Raises:
        TypeError: `result` is none of these.
        ValueError: The content type or the attributes cannot be sent in a header.
    """
    body, content_type = _take_pair(result, content_type)
    attributes = next((value for name, value in headers.items() if name.lower() == ATTRIBUTES.lower()), None)
    for text in (content_type, attributes or ""):
        _check_header(text)
    if isinstance(body, Iterator):
        return Answer(Head(200, content_type, None, attributes), _as_pieces(body))
    whole = _as_bytes(body)
    return Answer(Head(200, content_type, len(whole), attributes), iter([whole] if whole else []))


def media_type(header: str) -> str:
    """Returns the media type of a header: `Text/CSV; charset=utf-8` -> `text/csv`."""
    return header.partition(";")[0].strip().lower()


def find_framing(content_type: str) -> Framing | None:
    """Returns the framing of a content type; None if a failing answer of it can only break off."""
    return _BY_TYPE.get(media_type(content_type))


def _take_pair(result: object, content_type: str) -> tuple[object, str]:
    if not isinstance(result, tuple):
        return result, content_type
    if len(result) != 2 or not isinstance(result[1], str):  # noqa: PLR2004  it is called a pair
        raise TypeError("a tuple must be (body, content_type)")
    return result[0], result[1]


def _check_header(text: str) -> None:
    if not (text.isascii() and text.isprintable()):
        raise ValueError(f"{text!r} cannot be sent in a header: it has characters other than printable ASCII")


def _as_pieces(body: Iterator[object]) -> Iterator[bytes]:
    with closed_after(body):
        for piece in body:
            whole = _as_bytes(piece)
            if whole:  # in HTTP's chunks, an empty one is the end
                yield whole


def _as_bytes(body: object) -> bytes:
    if isinstance(body, str):
        return body.encode(errors="replace")  # halves of characters, which JSON can contain, are none
    if isinstance(body, bytes | bytearray | memoryview):
        return bytes(body)
    kind = "None" if body is None else f"a {type(body).__name__}"
    raise TypeError(f"the response is {kind}; it must be bytes, text or an iterator of those")


def _end_after(text: bytes, separator: bytes) -> int:
    index = text.rfind(separator)
    return 0 if index < 0 else index + len(separator)
