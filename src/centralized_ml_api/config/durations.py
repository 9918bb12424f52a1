"""Lengths of time as users write them: `90s`, `30m`, `48h`, `2d`. Pure."""

from __future__ import annotations

import re

UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhd])")


def render_duration(seconds: float) -> str:
    """Renders a length of time, in whole hours or minutes where it has them."""
    for unit in ("h", "m"):
        if seconds % UNIT_SECONDS[unit] == 0:
            return f"{seconds / UNIT_SECONDS[unit]:.0f}{unit}"
    return f"{seconds:f}".rstrip("0").rstrip(".") + "s"


def parse_duration(text: str) -> float:
    """Parses a length of time; returns seconds.

    Raises:
        ValueError: It has another form.
    """
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a duration")
    return float(found[1]) * UNIT_SECONDS[found[2]]
