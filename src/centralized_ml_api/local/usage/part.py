"""Reads what is new in a part of the access log, a piece at a time."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import BinaryIO

PIECE_BYTES = 1024 * 1024
_LONGEST_LINE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole lines of a part, and where the reading goes on."""

    lines: tuple[bytes, ...]
    end: int


def identify_part(file: BinaryIO) -> str | None:
    """What this part of the log is, whatever its file is called now; None without a whole line.

    Its first line, which has the id of a request, and so is of no other part. A file's number on the disk
    would not do: it is given to another file once this one is gone.
    """
    file.seek(0)
    first = file.readline(_LONGEST_LINE_BYTES)
    whole = first.endswith(b"\n") or len(first) == _LONGEST_LINE_BYTES
    return hashlib.sha256(first).hexdigest() if whole else None


def read_piece(file: BinaryIO, offset: int) -> Piece | None:
    """The whole lines after `offset`, `PIECE_BYTES` of them at most; None when there is none."""
    file.seek(offset)
    piece = _read_lines(file)
    return Piece(tuple(piece.splitlines()), offset + len(piece)) if piece else None


def _read_lines(file: BinaryIO) -> bytes:
    read = file.read(PIECE_BYTES)
    whole = read[: read.rfind(b"\n") + 1]
    return whole or (read if len(read) == PIECE_BYTES else b"")  # so long a line is nothing that Envoy wrote
