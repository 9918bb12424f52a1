"""The hours of an event, in which models that may sleep are awake. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Iterable

_SECONDS_AN_HOUR = 3600


@record
class Window:
    """A time in which models are awake. Both instants are in UTC."""

    begins: datetime
    ends: datetime


def find_window(hours: Iterable[Window], now: datetime, *, early: timedelta) -> Window | None:
    """Returns the window that it is in, or that begins that early before; None outside.

    Args:
        hours: In their order.
        now: The present instant.
        early: How long before a window models already wake.
    """
    return next((window for window in hours if window.begins - early <= now < window.ends), None)


def find_next(hours: Iterable[Window], now: datetime) -> Window | None:
    """Returns the next window that has not begun; None if there is none."""
    return next((window for window in hours if now < window.begins), None)


@record
class AwakeTime:
    """Of the time until the last hours of an event end: how long models are awake, and how long it is.

    Both are in hours.
    """

    awake: Decimal
    whole: Decimal


def count_awake_time(hours: Iterable[Window], now: datetime, *, early: timedelta) -> AwakeTime | None:
    """Counts how long models are awake by the hours of an event; returns None without hours to come.

    Args:
        hours: In their order.
        now: The present instant.
        early: How long before a window models already wake.
    """
    windows = tuple(hours)
    ends = max((window.ends for window in windows), default=now)
    if ends <= now:
        return None
    return AwakeTime(count_awake_hours(windows, now, ends, early=early), _in_hours(ends - now))


def count_awake_hours(
    hours: Iterable[Window], begins: datetime, ends: datetime, *, early: timedelta
) -> Decimal:
    """Counts for how many hours between two instants models are awake by the hours of an event.

    Args:
        hours: In their order.
        begins: From when on.
        ends: Until when.
        early: How long before a window models already wake.
    """
    awake, reached = timedelta(), begins
    for window in hours:
        until = min(window.ends, ends)
        awake += max(timedelta(), until - max(window.begins - early, reached))
        reached = max(reached, until)
    return _in_hours(awake)


def _in_hours(time: timedelta) -> Decimal:
    return Decimal(str(time.total_seconds())) / _SECONDS_AN_HOUR


_SHOWN = 5


def word_hours(hours: tuple[Window, ...]) -> str:
    """Says in one sentence when models that may sleep are awake; empty without hours."""
    if not hours:
        return ""
    shown = [f"{window.begins:%Y-%m-%dT%H:%MZ} to {window.ends:%Y-%m-%dT%H:%MZ}" for window in hours[:_SHOWN]]
    more = [f"and {len(hours) - _SHOWN} more times"] if len(hours) > _SHOWN else []
    return f"Models that may sleep are awake only from {', '.join([*shown, *more])}."
