"""Streamed answers: where a piece is whole, and how an error is the last one."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.python_engine.mlapi_model_server.framing import find_framing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.local.python_engine.mlapi_model_server.framing import Framing


def framing(content_type: str) -> Framing:
    found = find_framing(content_type)
    assert found
    return found


@pytest.mark.parametrize(
    ("content_type", "pieces", "cut"),
    [
        ("text/event-stream", [b"data: 1\n\nda", b"ta: 2\n", b"\n"], [b"data: 1\n\n", b"data: 2\n\n"]),
        ("text/event-stream", [b"data: 1\r\n\r", b"\ndata: 2"], [b"data: 1\r\n\r\n", b"data: 2"]),
        ("Text/Event-Stream; charset=utf-8", [b"a\n\nb\r\n\r\nc\n\n"], [b"a\n\nb\r\n\r\nc\n\n"]),
        ("application/x-ndjson", [b"1", b"2\n3\n4", b"5"], [b"12\n3\n", b"45"]),
        ("application/jsonlines", [], []),
    ],
)
def test_pieces_are_whole_and_no_byte_is_lost(
    content_type: str, pieces: list[bytes], cut: list[bytes]
) -> None:
    assert list(framing(content_type).cut(iter(pieces))) == cut


def test_of_a_stream_that_fails_no_half_piece_comes() -> None:
    def pieces() -> Iterator[bytes]:
        yield b"data: 1\n\ndata: tw"
        raise RuntimeError

    got = framing("text/event-stream").cut(pieces())
    assert next(got) == b"data: 1\n\n"
    with pytest.raises(RuntimeError):
        next(got)


def test_a_reader_that_leaves_ends_what_it_read() -> None:
    ended = []

    def pieces() -> Iterator[bytes]:
        try:
            yield from itertools.repeat(b"1\n")
        finally:
            ended.append(True)

    read = framing("application/x-ndjson").cut(pieces())
    next(read)
    read.close()  # type: ignore[attr-defined]  # it is a generator
    assert ended


def test_an_error_is_a_whole_piece() -> None:
    assert framing("text/event-stream").render_last(b"{}") == b"data: {}\n\n"
    assert framing("application/jsonl").render_last(b"{}") == b"{}\n"


@pytest.mark.parametrize("content_type", ["application/octet-stream", "text/plain", "audio/wav", ""])
def test_other_types_have_no_such_places(content_type: str) -> None:
    assert find_framing(content_type) is None
