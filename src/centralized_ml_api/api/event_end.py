"""How callers learn when the event ends: a header on every answer, the same on both targets."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

ENDS_HEADER = "x-event-ends"
"""There while the config has `event.ends`. Not "in so many seconds": gateways add it without thinking."""


def render_instant(instant: datetime) -> str:
    """The instant as RFC 3339 in UTC, to the second: `2030-06-01T16:00:00Z`. Pure.

    Source: RFC 3339, section 5.6.
    """
    return instant.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"
