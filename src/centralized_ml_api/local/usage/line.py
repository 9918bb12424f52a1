"""One line of the access log. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from centralized_ml_api.plan.usage.latency import NO_LATENCY, bucket_of
from centralized_ml_api.plan.usage.types import NOBODY

_MOST_CHARACTERS = 128
_MOST_STATUS = 999
_MOST_BYTES = 1 << 40
_SECONDS_AN_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Call:
    """A call: `started` is in seconds since the epoch, `bucket` is that of its latency."""

    started: float
    team: str
    model: str
    status: int
    bucket: int
    bytes_in: int
    bytes_out: int

    @property
    def hour(self) -> int:
        """The hour in which it began, counted since the epoch."""
        return int(self.started // _SECONDS_AN_HOUR)


def parse_call(line: bytes) -> Call | None:
    """The call of one line; None when it is none.

    A gateway that is killed leaves half a line, and the next one goes on behind it: the half is lost, what
    follows it is not.
    """
    start = line.rfind(b"{")  # the objects of the log are flat
    try:
        return _call(json.loads(line[start:].decode())) if start >= 0 else None
    except (ValueError, TypeError, KeyError, OverflowError):
        return None


def _call(fields: dict[str, Any]) -> Call:
    milliseconds = fields.get("milliseconds")
    return Call(
        started=datetime.fromisoformat(fields["time"]).timestamp(),
        team=_name(fields.get("team")),
        model=_name(fields.get("model")),
        status=_number(fields.get("status"), _MOST_STATUS),
        bucket=NO_LATENCY if milliseconds is None else bucket_of(milliseconds),
        bytes_in=_number(fields.get("bytes_in"), _MOST_BYTES),
        bytes_out=_number(fields.get("bytes_out"), _MOST_BYTES),
    )


def _name(value: Any) -> str:
    """Something that the store can hold, whatever it is."""
    return str(value)[:_MOST_CHARACTERS].encode(errors="replace").decode() if value else NOBODY


def _number(value: Any, most: int) -> int:
    number = int(value or 0)
    if not 0 <= number <= most:
        raise ValueError(number)
    return number
