"""Notices when the event starts, and when the clock is set back before its start.

The wall clock decides, as it does for the end: a timer stands still while the machine sleeps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.api.event_end import render_instant
from centralized_ml_api.local.run.ending import LOOK_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from centralized_ml_api.local.machine.clock import Clock
    from centralized_ml_api.plan.event import EventPlan


async def watch_start(
    event: Callable[[], EventPlan],
    told: Callable[[], datetime | None],
    *,
    tell: Callable[[], None],
    say: Callable[[str], None],
    clock: Clock,
) -> None:
    """Tells the gateway whenever keys begin to work or cease to, until cancelled.

    Args:
        event: Returns the event as it is now; its start may move at any time.
        told: Returns the start that the gateway waits for; None where keys work.
        tell: Makes the gateway know.
        say: Takes a sentence.
        clock: Is looked at every second.
    """
    before = event().coming_start(clock.now())
    while True:
        await clock.sleep(LOOK_SECONDS)
        coming = event().coming_start(clock.now())
        if coming != told():
            tell()
        if before is not None and coming is None and event().starts == before:
            say(f"The event has started: keys work since {render_instant(before)}.")
        before = coming
