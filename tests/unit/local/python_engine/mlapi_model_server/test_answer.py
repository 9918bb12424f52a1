"""Streamed answers: where a piece is whole, and how an error is the last one."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.python_engine.mlapi_model_server.answer import find_framing, media_type
from support.framing_vectors import CUTS, ERRORS, WITHOUT_PIECES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.local.python_engine.mlapi_model_server.answer import Framing


def framing(content_type: str) -> Framing:
    found = find_framing(content_type)
    assert found
    return found


@pytest.mark.parametrize(("content_type", "pieces", "cut"), CUTS)
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


@pytest.mark.parametrize(("content_type", "last"), ERRORS.items())
def test_an_error_is_a_whole_piece(content_type: str, last: bytes) -> None:
    assert framing(content_type).render_last(b"{}") == last


@pytest.mark.parametrize("content_type", WITHOUT_PIECES)
def test_other_types_have_no_such_places(content_type: str) -> None:
    assert find_framing(content_type) is None


def test_a_media_type_is_compared_without_case_and_parameters() -> None:
    assert media_type(" Text/CSV ; charset=utf-8") == "text/csv"
