"""Shapes what the organizer's screen shows, for whichever target knows it. Pure."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.error_shape import ERRORS
from centralized_ml_api.api.event_end import render_instant
from centralized_ml_api.api.qr import MOST_CHARACTERS, draw_qr

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from centralized_ml_api.api.invitation import Invitation
    from centralized_ml_api.plan.usage.types import HourUsage, Usage

HOUR = timedelta(hours=1)

LEAST_KNOWN, MOST_AHEAD = timedelta(minutes=30), 10
"""What is expected at the end is said once so much time is known, and for up to so many times as much."""

REASONS = {
    0: "The caller hung up before the answer came.",
    401: "The request had no valid key.",
    403: "The team may not call this model.",
    404: "There is no such path or model.",
    408: "The request took too long to arrive.",
    413: "The body is too large.",
    429: "More requests than the limit allows.",
    502: ERRORS["model_failed"].message,
    503: ERRORS["model_not_ready"].message,
}
"""Why calls failed, by their status, where nobody knows better."""


def describe_invitation(invitation: Invitation) -> dict[str, Any]:
    """Returns what the screen shows to a hall, with the path and the side of its QR code."""
    is_short = len(invitation.link) <= MOST_CHARACTERS
    return {**asdict(invitation), "qr": asdict(draw_qr(invitation.link)) if is_short else None}


def add_up(rows: Iterable[Usage]) -> dict[str, Any]:
    """Returns what some calls were together, and when the last was."""
    listed = list(rows)
    return {
        "requests": sum(row.requests for row in listed),
        "errors": sum(row.errors for row in listed),
        "tokens": sum(row.tokens.total for row in listed),
        "usd": in_dollars(sum(row.tokens.nanodollars for row in listed)),
        "last": render_instant(max(row.last for row in listed)) if listed else None,
    }


def describe_limit(
    unit: str, period: str, used: float, most: float, minutes_left: int | None
) -> dict[str, Any]:
    """Returns what the screen shows of a limit; `nanodollars` are shown in dollars.

    Args:
        unit: What is limited.
        period: In which time.
        used: How much of it is used.
        most: How much there is.
        minutes_left: In how many minutes it is used up at the present pace; None if that is not soon.
    """
    is_money = unit == "nanodollars"
    amounts = {"used": used, "most": most}
    return {
        "unit": "usd" if is_money else unit,
        "period": period,
        **{name: in_dollars(int(amount)) if is_money else amount for name, amount in amounts.items()},
        "minutes_left": minutes_left,
    }


def describe_spending(
    hours: Sequence[HourUsage], now: datetime, ends: datetime | None, since: datetime | None = None
) -> dict[str, Any] | None:
    """Returns what was spent until when, as a line, and what is `expected` at the end; None without a cent.

    Args:
        hours: What each hour cost, by time. One after `now`, of a clock that was set back, counts as now.
        now: The present instant.
        ends: When the event ends.
        since: When the first call that cost something began, which its hour says only roughly.
    """
    paid = [hour for hour in hours if hour.nanodollars]
    if not paid:
        return None
    begun = paid[0].start
    if since is not None and begun <= since < begun + HOUR:
        begun = since
    points, spent = list[dict[str, float]](), 0
    for hour in paid:
        points.append(_draw_spent(min(max(hour.start, begun), now), spent))
        spent += hour.nanodollars
        points.append(_draw_spent(min(hour.start + HOUR, now), spent))
    points.append(_draw_spent(now, spent))
    return {"points": points, "expected": _expect(in_dollars(spent), begun, now, ends)}


def _draw_spent(at: datetime, nanodollars: int) -> dict[str, float]:
    return {"at": at.timestamp(), "usd": in_dollars(nanodollars)}


def _expect(spent: float, starts: datetime, now: datetime, ends: datetime | None) -> dict[str, float] | None:
    """Returns what is spent at the end if it goes on so; None while too little is known for that."""
    if ends is None or ends <= now or now - starts < LEAST_KNOWN:
        return None
    left, known = ends - now, now - starts
    if left > known * MOST_AHEAD:
        return None
    return {"at": ends.timestamp(), "usd": round(spent * (1 + left / known), 2)}


def in_dollars(nanodollars: int) -> float:
    """Returns dollars."""
    return float(Decimal(nanodollars).scaleb(-9))
