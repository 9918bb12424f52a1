"""Lets models sleep outside the hours of an event.

The wall clock decides: a timer stands still while a laptop sleeps.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from centralized_ml_api.plan.hours import find_next, find_window

if TYPE_CHECKING:
    from centralized_ml_api.local.machine.clock import Clock
    from centralized_ml_api.local.sleep.schedule import Schedule
    from centralized_ml_api.plan.hours import Window

WARM_UP = timedelta(minutes=2)
"""How long before the hours models begin to wake."""

HOURS_LOOK_SECONDS = 30.0
"""How often the wall clock is looked at, at least."""


def keep_hours(schedule: Schedule, hours: tuple[Window, ...], clock: Clock) -> None:
    """Tells the schedule whether models may be awake now.

    Args:
        schedule: Decides which ones are.
        hours: When they may be; empty for always.
        clock: Tells the time.
    """
    now, monotonic = clock.now(), clock.monotonic()
    if not hours or find_window(hours, now, early=WARM_UP):
        schedule.open_hours(monotonic)
        return
    following = find_next(hours, now)
    opens_in = (following.begins - now).total_seconds() if following else None
    schedule.close_hours(None if opens_in is None else monotonic + opens_in)
