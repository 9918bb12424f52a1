"""What a call is answered with: a head, and its body whole or in pieces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

JSON = "application/json"
ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
"""The one header of a model that reaches callers, on AWS and here."""


@dataclass(frozen=True, slots=True)
class Head:
    """Status and headers. `length` is the body's in bytes; None for one that comes in pieces."""

    status: int
    content_type: str
    length: int | None
    attributes: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A head, and the pieces of the body, none of them empty."""

    head: Head
    pieces: Iterator[bytes]


@contextmanager
def closed_after(pieces: Iterator[object]) -> Iterator[None]:
    """A generator whose reader stops early stops then too, not at some collection."""
    try:
        yield
    finally:
        close = getattr(pieces, "close", None)
        if callable(close):
            close()


def build_answer(result: object, content_type: str, headers: Mapping[str, str]) -> Answer:
    """From what `output_fn` or `transform_fn` returned.

    Args:
        result: bytes or text; an iterator of those, whose pieces are sent as they come; or a pair of one of
            these and a content type.
        content_type: The one of the answer, where `result` does not name one.
        headers: What the model set; of these, its custom attributes are kept.

    Raises:
        TypeError: `result` is none of these.
        ValueError: the content type or the attributes are no text of a header.
    """
    body, content_type = _take_pair(result, content_type)
    attributes = next((value for name, value in headers.items() if name.lower() == ATTRIBUTES.lower()), None)
    for text in (content_type, attributes or ""):
        _check_header(text)
    if isinstance(body, Iterator):
        return Answer(Head(200, content_type, None, attributes), _as_pieces(body))
    whole = _as_bytes(body)
    return Answer(Head(200, content_type, len(whole), attributes), iter([whole] if whole else []))


def _take_pair(result: object, content_type: str) -> tuple[object, str]:
    if not isinstance(result, tuple):
        return result, content_type
    if len(result) != 2 or not isinstance(result[1], str):  # noqa: PLR2004  it is called a pair
        raise TypeError("a tuple must be (body, content_type)")
    return result[0], result[1]


def _check_header(text: str) -> None:
    if not (text.isascii() and text.isprintable()):
        raise ValueError(f"{text!r} cannot stand in a header: it has other than printable ASCII characters")


def _as_pieces(body: Iterator[object]) -> Iterator[bytes]:
    with closed_after(body):
        for piece in body:
            whole = _as_bytes(piece)
            if whole:  # in HTTP's chunks, an empty one is the end
                yield whole


def _as_bytes(body: object) -> bytes:
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, bytes | bytearray | memoryview):
        return bytes(body)
    raise TypeError(f"the answer is {_describe(body)}; it must be bytes, text or an iterator of those")


def _describe(value: object) -> str:
    return "None" if value is None else f"a {type(value).__name__}"
