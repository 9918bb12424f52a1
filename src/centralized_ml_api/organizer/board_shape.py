"""Shapes what the organizer's screen shows, for whichever target knows it. Pure."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.error_shape import ERRORS
from centralized_ml_api.api.event_end import render_instant
from centralized_ml_api.api.qr import MOST_CHARACTERS, draw_qr

if TYPE_CHECKING:
    from collections.abc import Iterable

    from centralized_ml_api.api.invitation import Invitation
    from centralized_ml_api.plan.usage.types import Usage

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


def in_dollars(nanodollars: int) -> float:
    """Returns dollars."""
    return float(Decimal(nanodollars).scaleb(-9))
