"""Reads what is new in a segment of the access log, chunk by chunk, and parses its lines."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, BinaryIO

from centralized_ml_api.plan.usage.latency import NO_LATENCY, bucket_of
from centralized_ml_api.plan.usage.tokens import NO_TOKENS, Tokens, estimate_tokens
from centralized_ml_api.plan.usage.types import NOBODY
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from pathlib import Path

CHUNK_BYTES = 1024 * 1024
TAIL_BYTES = 256 * 1024
"""Some thousand calls: an event's last minutes."""

_LINE_BYTES = 64 * 1024
_NAME_CHARACTERS = 128
_MAX_STATUS = 999
_MAX_BYTES = 1 << 40
_MAX_TOKENS = 10**13
_SECONDS_PER_HOUR = 3600


@record
class Chunk:
    """Complete lines of a segment, and the offset in bytes at which reading goes on."""

    lines: tuple[bytes, ...]
    end: int


def identify_segment(file: BinaryIO) -> str | None:
    """Returns an id of this segment, whatever its file is called now; None if it has no complete line.

    It is a digest of the first line, which has the id of a request and so is in no other segment. The inode
    would not do: it is reused once the file is gone.
    """
    file.seek(0)
    first = file.readline(_LINE_BYTES)
    is_complete = first.endswith(b"\n") or len(first) == _LINE_BYTES
    return hashlib.sha256(first).hexdigest() if is_complete else None


def read_chunk(file: BinaryIO, offset: int) -> Chunk | None:
    """Returns the complete lines after `offset`, at most `CHUNK_BYTES` of them; None if there are none."""
    file.seek(offset)
    read = file.read(CHUNK_BYTES)
    lines = read[: read.rfind(b"\n") + 1]
    if not lines and len(read) == CHUNK_BYTES:
        lines = read  # Envoy does not write lines that long: skip it
    return Chunk(tuple(lines.splitlines()), offset + len(lines)) if lines else None


def read_tail(log: Path) -> list[bytes]:
    """Returns the last lines of a log, `TAIL_BYTES` of them; none of a log without a file.

    Raises:
        OSError: The log cannot be read.
    """
    try:
        with log.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - TAIL_BYTES))
            lines = file.read(TAIL_BYTES).split(b"\n")
    except FileNotFoundError:
        return []
    return lines[1:] if size > TAIL_BYTES else lines


@record
class Call:
    """One call: `started` is in seconds since the epoch, `bucket` is the bucket of its latency.

    `cache_writes` are those of the tokens of its request that the server has written to a cache.
    """

    started: float
    team: str
    model: str
    status: int
    bucket: int
    bytes_in: int
    bytes_out: int
    tokens: Tokens = NO_TOKENS
    cache_writes: int = 0

    @property
    def hour(self) -> int:
        """Returns the hour in which it began, counted since the epoch."""
        return int(self.started // _SECONDS_PER_HOUR)


def find_object(line: bytes) -> bytes:
    """Returns the last object on a line, whole or not; nothing if there is none. Pure.

    A gateway that is killed leaves an incomplete line, and the next gateway continues on it: the beginning is
    lost, what follows is not. Objects are flat, but Envoy may say in braces why a call failed.
    """
    start = line.rfind(b'{"')
    return line[start:] if start >= 0 else b""


def parse_call(line: bytes) -> Call | None:
    """Returns the call on one line; None if there is none. Pure."""
    found = find_object(line)
    try:
        return _parse_fields(json.loads(found.decode())) if found else None
    except (ValueError, TypeError, KeyError, OverflowError):
        return None


def _parse_fields(fields: dict[str, Any]) -> Call:
    milliseconds = fields.get("milliseconds")
    return Call(
        started=datetime.fromisoformat(fields["time"]).timestamp(),
        team=_parse_name(fields.get("team")),
        model=_parse_name(fields.get("served_by") or fields.get("model")),
        status=_parse_number(fields.get("status"), _MAX_STATUS),
        bucket=NO_LATENCY if milliseconds is None else bucket_of(milliseconds),
        bytes_in=_parse_number(fields.get("bytes_in"), _MAX_BYTES),
        bytes_out=_parse_number(fields.get("bytes_out"), _MAX_BYTES),
        tokens=_parse_tokens(fields),
        cache_writes=_parse_number(fields.get("tokens_cache_writes"), _MAX_TOKENS),
    )


def _parse_tokens(fields: dict[str, Any]) -> Tokens:
    """Returns what the server reported; an estimate where it reported nothing of an answer with tokens."""
    names = ("tokens_in", "tokens_cached", "tokens_out")
    answer = fields.get("answer")
    if answer in {"whole", "stream"} and all(fields.get(name) is None for name in names):
        bytes_in = _parse_number(fields.get("bytes_in"), _MAX_BYTES)
        bytes_out = _parse_number(fields.get("bytes_out"), _MAX_BYTES)
        return estimate_tokens(bytes_in, bytes_out, "stream" if answer == "stream" else "whole")
    return Tokens(*(_parse_number(fields.get(name), _MAX_TOKENS) for name in names))


def _parse_name(value: Any) -> str:
    """Returns something that the store can hold, whatever the value is."""
    return str(value)[:_NAME_CHARACTERS].encode(errors="replace").decode() if value else NOBODY


def _parse_number(value: Any, largest: int) -> int:
    number = int(value or 0)
    if not 0 <= number <= largest:
        raise ValueError(number)
    return number
