"""What callers are told before the event starts, the same on both targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.api.error_shape import EVENT_NOT_STARTED, STOP_RETRYING, ApiError
from centralized_ml_api.api.event_end import render_instant, render_left
from centralized_ml_api.api.http_date import render_http_date

if TYPE_CHECKING:
    from datetime import datetime

METHOD = "POST"
"""The method that is refused until then: every call to a model is one, and no document is."""


def not_started(starts: datetime) -> ApiError:
    """Builds the error of every call with a valid key until `starts`, in UTC. Pure."""
    return EVENT_NOT_STARTED.with_message("until", starts=render_instant(starts))


def build_start_headers(starts: datetime) -> tuple[tuple[str, str], tuple[str, str]]:
    """Builds its headers. `Retry-After` has a date, since no gateway computes how long that is. Pure.

    Source: RFC 9110, section 10.2.3.
    """
    return ("retry-after", render_http_date(starts)), STOP_RETRYING


def render_start(starts: datetime, now: datetime) -> str:
    """Renders when keys begin to work, and how long that is from now. Pure."""
    return f"Starts in {render_left(starts - now)}, at {render_instant(starts)}; until then keys are refused"
