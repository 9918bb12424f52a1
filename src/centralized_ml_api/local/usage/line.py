"""One line of the access log. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from centralized_ml_api.plan.usage.latency import NO_LATENCY, bucket_of
from centralized_ml_api.plan.usage.model import NOBODY

_MOST_CHARACTERS = 128
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
        return _call(json.loads(line[start:])) if start >= 0 else None
    except (ValueError, TypeError, KeyError, OverflowError):
        return None


def _call(fields: dict[str, Any]) -> Call:
    milliseconds = fields.get("milliseconds")
    return Call(
        started=datetime.fromisoformat(fields["time"]).timestamp(),
        team=_name(fields.get("team")),
        model=_name(fields.get("model")),
        status=int(fields.get("status") or 0),
        bucket=NO_LATENCY if milliseconds is None else bucket_of(milliseconds),
        bytes_in=int(fields.get("bytes_in") or 0),
        bytes_out=int(fields.get("bytes_out") or 0),
    )


def _name(value: Any) -> str:
    return str(value)[:_MOST_CHARACTERS] if value else NOBODY
