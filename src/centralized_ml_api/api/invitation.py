"""What teams need to join, and what an organizer may change about it, on whichever target. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from centralized_ml_api.api.event_end import render_instant
from centralized_ml_api.api.http import JOIN_PATH
from centralized_ml_api.errors import UsageError


@dataclass(frozen=True, slots=True)
class Invitation:
    """What teams need to join: `closed` says why they cannot; empty while they can."""

    link: str = field(repr=False)
    code: str = field(repr=False)
    closed: str
    until: str
    places: int
    taken: int


@dataclass(frozen=True, slots=True)
class JoinState:
    """How joining is set: its code, whether an organizer has closed it, until when it may be open."""

    code: str = field(repr=False)
    is_closed: bool
    until: datetime | None
    places: int


def build_invitation(state: JoinState, address: str, taken: int, now: datetime) -> Invitation:
    """Builds what teams need to join.

    Args:
        state: How joining is set.
        address: Of the API, without a slash at its end.
        taken: How many places are taken.
        now: The present instant.
    """
    until = render_instant(state.until) if state.until else ""
    closed = "an organizer closed it" if state.is_closed else ""
    if has_ended(state.until, now):
        closed = f"it was open until {until}"
    link = f"{address}{JOIN_PATH}#code={state.code}"
    return Invitation(link, state.code, closed, until, state.places, taken)


def has_ended(until: datetime | None, now: datetime) -> bool:
    """Returns whether the time is over in which teams could join, whatever an organizer does."""
    return until is not None and until <= now


def check_change(
    until: datetime | None, now: datetime, *, names_code: bool, is_closed: bool | None, new_code: bool
) -> None:
    """Checks that an organizer may change this about joining.

    Args:
        until: When joining closes by itself; None if it does not.
        now: The present instant.
        names_code: Whether the config names the code.
        is_closed: Whether joining is to be closed; None leaves it as it is.
        new_code: Whether another code is to be made.

    Raises:
        UsageError: The config names the code, or ended joining at an instant that has passed.
    """
    if new_code and names_code:
        raise UsageError(
            "the config names the code", fix="change `event.join.code`, or remove it, so that one is made"
        )
    if is_closed is False and until is not None and has_ended(until, now):
        raise UsageError(
            f"joining was open until {render_instant(until)}",
            fix="choose a later `event.join.until` in the config, or remove it",
        )
