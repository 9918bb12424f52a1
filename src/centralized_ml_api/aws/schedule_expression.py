"""How EventBridge Scheduler is told an instant."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


def render_expression(instant: datetime) -> str:
    """Once, at this instant: `at(2030-06-01T16:00:00)`, for a schedule in UTC. Pure.

    Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#one-time
    """
    return f"at({instant.astimezone(UTC):%Y-%m-%dT%H:%M:%S})"
