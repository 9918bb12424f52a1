"""When the local target stops by itself: announced beforehand, and right by the wall clock.

A timer would not do: it stands still while the machine sleeps, and knows nothing of a clock that is set.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from centralized_ml_api.api.event_end import render_instant, render_left

LOOK_SECONDS = 1.0
ANNOUNCED = (timedelta(hours=1), timedelta(minutes=10), timedelta(minutes=1))


@dataclass(frozen=True, slots=True)
class Clock:
    """The wall clock and how to wait; tests have their own."""

    now: Callable[[], datetime]
    sleep: Callable[[float], Awaitable[None]]


WALL_CLOCK = Clock(lambda: datetime.now(UTC), asyncio.sleep)


@dataclass(frozen=True, slots=True)
class End:
    """The instant, and whether it is the event's or the one of `--for`."""

    at: datetime
    is_events: bool


def earlier_end(ends: datetime | None, stops: datetime | None) -> End | None:
    """Of the event's end and that of `--for` the earlier; None where there is neither."""
    if ends is not None and (stops is None or ends <= stops):
        return End(ends, is_events=True)
    return End(stops, is_events=False) if stops is not None else None


async def await_end(end: Callable[[], End | None], say: Callable[[str], None], clock: Clock) -> End:
    """Returns when the end is reached; says so an hour, ten minutes and a minute before.

    Args:
        end: the end as it is now; it may move at any time.
        say: takes a sentence. Of several that are due at once only the last is said.
        clock: looked at every second.
    """
    announced: tuple[End, timedelta] | None = None
    while True:
        now, known = clock.now(), end()
        left = known.at - now if known else None
        if known and left is not None:
            if left <= timedelta(0):
                return known
            mark = min((one for one in ANNOUNCED if left <= one), default=None)
            if mark and announced != (known, mark):
                announced = (known, mark)
                say(render_announcement(known, left))
        await clock.sleep(LOOK_SECONDS if left is None else min(LOOK_SECONDS, left.total_seconds()))


def render_announcement(end: End, left: timedelta) -> str:
    """That it ends soon, and how to change that. Pure."""
    when = f"in {render_left(left)}, at {render_instant(end.at)}"
    if end.is_events:
        return f"The event ends {when}; for more time: mlapi extend +1h"
    return f"This stops {when}, as --for says."


def render_over(end: End) -> str:
    """That it is over. Pure."""
    if end.is_events:
        return f"The event is over: it ended at {render_instant(end.at)}."
    return "The time of --for is over."
