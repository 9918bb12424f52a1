"""Reads from the end of the access log how long streams let their callers wait for the first word."""

from __future__ import annotations

import json
from datetime import datetime
from statistics import median
from typing import TYPE_CHECKING

from centralized_ml_api.local.usage.log_lines import find_object, read_tail

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_NONE_CAME = b'"first_word":null'


def load_usual_wait(log: Path, since: float) -> float | None:
    """Returns the median wait, in seconds, of the streams whose first word came since an instant.

    Streams are in the log once they are over. Returns None without any, or without a log.

    Args:
        log: The access log.
        since: The instant, in seconds since the epoch.

    Raises:
        OSError: The log cannot be read.
    """
    return find_usual_wait(read_tail(log), since)


def find_usual_wait(lines: Iterable[bytes], since: float) -> float | None:
    """Returns the median wait that these lines tell of; see `load_usual_wait`. Pure."""
    waits = [wait for line in lines if (wait := _parse_wait(line, since)) is not None]
    return median(waits) if waits else None


def _parse_wait(line: bytes, since: float) -> float | None:
    """Returns the wait of one call; None where no word came, or where the line is not whole."""
    if _NONE_CAME in line:
        return None
    try:
        fields = json.loads(find_object(line))
        came = int(fields["first_word"]) / 1000
        wait = came - datetime.fromisoformat(fields["time"]).timestamp()
    except (ValueError, TypeError, KeyError, OverflowError):
        return None
    return max(0.0, wait) if came >= since else None
