"""What teams need to join, and what an organizer changes about it: for `mlapi join` and for the screen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from centralized_ml_api.api.event_end import render_instant
from centralized_ml_api.api.http import JOIN_PATH
from centralized_ml_api.errors import UsageError
from centralized_ml_api.local.keys.places import count_taken
from centralized_ml_api.local.keys.store import KeyStore

if TYPE_CHECKING:
    from datetime import datetime

    from centralized_ml_api.local.keys.joining import JoinBook
    from centralized_ml_api.plan.event import EventPlan, JoinPlan


@dataclass(frozen=True, slots=True)
class Invitation:
    """What teams need to join: `closed` says why they cannot; empty while they can."""

    link: str = field(repr=False)
    code: str = field(repr=False)
    closed: str
    until: str
    places: int
    taken: int


def invite(book: JoinBook, event: EventPlan, address: str, now: datetime) -> Invitation:
    """Returns what teams need to join.

    Args:
        book: The code, and whether an organizer has closed the door.
        event: The event as its config has it.
        address: Of the API.
        now: The present instant.

    Raises:
        UsageError: The config has no places.
        StartError: A file of the state folder cannot be read or written.
    """
    plan = _check_places(event)
    until = render_instant(plan.until) if plan.until else ""
    closed = "an organizer closed it" if book.load().is_closed else ""
    if has_ended(plan, now):
        closed = f"it was open until {until}"
    code = book.code_of(plan)
    taken = count_taken(KeyStore(book.path.parent).load() or (), {team.name for team in event.teams})
    return Invitation(f"{address}{JOIN_PATH}#code={code}", code, closed, until, plan.places, taken)


def has_ended(plan: JoinPlan, now: datetime) -> bool:
    """Returns whether the time is over in which teams could join, whatever an organizer does. Pure."""
    return plan.until is not None and plan.until <= now


def change_joining(
    book: JoinBook, event: EventPlan, now: datetime, *, is_closed: bool | None = None, new_code: bool = False
) -> None:
    """Makes another code, closes the door or opens it again.

    Args:
        book: The code, and whether the door is closed.
        event: The event as its config has it.
        now: The present instant.
        is_closed: Whether the door is to be closed; None leaves it as it is.
        new_code: Whether another code is made.

    Raises:
        UsageError: The config has no places, names the code, or ended joining at an instant that has passed.
        StartError: The file cannot be read or written.
    """
    plan = _check_places(event)
    if new_code and plan.code is not None:
        raise UsageError(
            "the config names the code", fix="change `event.join.code`, or remove it, so that one is made"
        )
    if is_closed is False and plan.until and has_ended(plan, now):
        raise UsageError(
            f"joining was open until {render_instant(plan.until)}",
            fix="choose a later `event.join.until` in the config, or remove it",
        )
    if new_code:
        book.renew_code()
    if is_closed is not None:
        book.set_closed(is_closed=is_closed)


def _check_places(event: EventPlan) -> JoinPlan:
    if event.join is None:
        raise UsageError(
            "nobody can join: the config has no places",
            fix='add them, such as "event": {"join": {"teams": 40}}',
        )
    return event.join
