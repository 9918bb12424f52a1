"""How callers learn when the event ends: a header on every answer, the same on both targets."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, timedelta

_MINUTE, _HOUR, _DAY = 60, 3600, 86400

ENDS_HEADER = "x-event-ends"
"""There while the config has `event.ends`. Not "in so many seconds": gateways add it without thinking."""


def render_instant(instant: datetime) -> str:
    """Renders the instant as RFC 3339 in UTC, to the second: `2030-06-01T16:00:00Z`. Pure.

    Source: RFC 3339, section 5.6.
    """
    return instant.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def render_end(ends: datetime, now: datetime) -> str:
    """Renders when the event ends, and how long that is from now. Pure."""
    return f"Ends in {render_left(ends - now)}, at {render_instant(ends)}"


def render_left(left: timedelta) -> str:
    """Renders a length of time in its two largest units: `2 days 3 h`, `1 h 59 min`, `10 min`, `45 s`. Pure.

    Rounded to the nearest second first, so that what just began is not one short.
    """
    seconds = max(0, round(left.total_seconds()))
    days, hours, minutes = seconds // _DAY, seconds % _DAY // _HOUR, seconds % _HOUR // _MINUTE
    if days:
        return _joined(f"{days} day{'' if days == 1 else 's'}", f"{hours} h" if hours else "")
    if hours:
        return _joined(f"{hours} h", f"{minutes} min" if minutes else "")
    return f"{minutes} min" if minutes else f"{seconds} s"


def _joined(*parts: str) -> str:
    return " ".join(filter(None, parts))
