"""Renders instants as the headers of HTTP have them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


def render_http_date(instant: datetime) -> str:
    """Renders an instant in UTC for headers such as `Retry-After`.

    Source: RFC 9110, section 5.6.7.
    """
    from email.utils import format_datetime  # noqa: PLC0415  # imports sockets; only events have such dates

    return format_datetime(instant, usegmt=True)
