"""The hours of an event, in which models that may sleep are awake. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
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


_SHOWN = 5


def word_hours(hours: tuple[Window, ...]) -> str:
    """Says in one sentence when models that may sleep are awake; empty without hours."""
    if not hours:
        return ""
    shown = [f"{window.begins:%Y-%m-%dT%H:%MZ} to {window.ends:%Y-%m-%dT%H:%MZ}" for window in hours[:_SHOWN]]
    more = [f"and {len(hours) - _SHOWN} more times"] if len(hours) > _SHOWN else []
    return f"Models that may sleep are awake only from {', '.join([*shown, *more])}."
