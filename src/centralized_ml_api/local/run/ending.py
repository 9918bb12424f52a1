"""Decides when the local target stops by itself, and announces it beforehand.

The wall clock decides. A timer would not do: it stands still while the machine sleeps, and does not notice
that the clock was set.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from centralized_ml_api.api.event_end import render_instant, render_left
from centralized_ml_api.commands import command, state_flags
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from centralized_ml_api.local.machine.clock import Clock

LOOK_SECONDS = 1.0
ANNOUNCED = (timedelta(hours=1), timedelta(minutes=10), timedelta(minutes=1))


@record
class End:
    """The instant, and whether it is the end of the event or that of `--for`."""

    at: datetime
    is_events: bool


def earlier_end(ends: datetime | None, stops: datetime | None) -> End | None:
    """Returns the earlier of the event's end and that of `--for`; None when there is neither."""
    if ends is not None and (stops is None or ends <= stops):
        return End(ends, is_events=True)
    return End(stops, is_events=False) if stops is not None else None


async def await_end(
    end: Callable[[], End | None], say: Callable[[str], None], clock: Clock, *, more_time: Callable[[], str]
) -> None:
    """Returns once the end is reached; announces it an hour, ten minutes and a minute before, and at last.

    Args:
        end: Returns the end as it is now; it may move at any time.
        say: Takes a sentence. Of several that are due at once, only the last is said.
        clock: Is looked at every second.
        more_time: Returns the command that moves the end of the event.
    """
    announced: tuple[End, timedelta] | None = None
    while True:
        known = end()
        if known is None:
            await clock.sleep(LOOK_SECONDS)
            continue
        left = known.at - clock.now()
        if left <= timedelta(0):
            say(render_over(known))
            return
        mark = min((before for before in ANNOUNCED if left <= before), default=None)
        if mark and announced != (known, mark):
            announced = (known, mark)
            say(render_announcement(known, left, more_time()))
        await clock.sleep(min(LOOK_SECONDS, left.total_seconds()))


def word_more_time(config: Path, state: Path) -> str:
    """Returns the command that moves the end of the event of what runs with a state folder."""
    return command("extend", "+1h", config, *state_flags(state))


def render_announcement(end: End, left: timedelta, more_time: str) -> str:
    """Words that the end is near, and how to move it. Pure.

    Args:
        end: What is near.
        left: How much time is left.
        more_time: The command that moves the end of the event.
    """
    when = f"in {render_left(left)}, at {render_instant(end.at)}"
    if end.is_events:
        return f"The event ends {when}. For more time: {more_time}"
    return f"The API stops {when}, as --for says."


def render_over(end: End) -> str:
    """Words that the end is reached. Pure."""
    if end.is_events:
        return f"The event is over: it ended at {render_instant(end.at)}."
    return "The time given with --for is over."
