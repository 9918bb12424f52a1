"""What teams need to join, and what an organizer changes about it: for `mlapi join` and for the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.api.invitation import Invitation, JoinState, build_invitation, check_change
from centralized_ml_api.errors import UsageError
from centralized_ml_api.local.keys.places import count_taken
from centralized_ml_api.local.keys.store import KeyStore

if TYPE_CHECKING:
    from datetime import datetime

    from centralized_ml_api.local.keys.joining import JoinBook
    from centralized_ml_api.plan.event import EventPlan, JoinPlan


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
    state = JoinState(book.code_of(plan), book.load().is_closed, plan.until, plan.places)
    taken = count_taken(KeyStore(book.path.parent).load() or (), {team.name for team in event.teams})
    return build_invitation(state, address, taken, now)


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
    check_change(plan.until, now, names_code=plan.code is not None, is_closed=is_closed, new_code=new_code)
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
