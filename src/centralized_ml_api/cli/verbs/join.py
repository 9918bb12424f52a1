"""`mlapi join`: shows the link by which teams join, closes the door, makes another code."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from centralized_ml_api.api.event_end import render_instant
from centralized_ml_api.api.http import JOIN_PATH
from centralized_ml_api.cli import output
from centralized_ml_api.cli.options import json_option, state_option
from centralized_ml_api.cli.request import check_address, reachable_api
from centralized_ml_api.cli.targets import running_config
from centralized_ml_api.cli.verbs.keys import tell_address
from centralized_ml_api.commands import command, state_flags
from centralized_ml_api.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.local.keys import JoinBook
    from centralized_ml_api.plan.event import EventPlan, JoinPlan


@dataclass(frozen=True, slots=True)
class Invitation:
    """What teams need to join: `closed` says why they cannot; empty while they can."""

    link: str
    code: str
    closed: str
    until: str
    places: int
    taken: int


@click.command()
@click.option("--close", "is_closed", flag_value=True, type=bool, help="Let nobody join any more.")
@click.option("--open", "is_closed", flag_value=False, type=bool, help="Let teams join again.")
@click.option("--new-code", is_flag=True, help="Make another code; the old one ends.")
@click.option("--url", help="Write this address. Default: that of the API that runs here.")
@json_option
@state_option
def join(
    is_closed: bool | None,  # noqa: FBT001  # as click passes it
    url: str | None,
    state: Path,
    *,
    new_code: bool,
    as_json: bool,
) -> None:
    """Show the link by which teams join.

    It comes with its QR code, for a projector. Whoever has it can join while there are places, and gets the
    key of a team.
    """
    from centralized_ml_api.local.keys import JoinBook
    from centralized_ml_api.local.run.reload import load_plan

    event = load_plan(running_config(state)).event
    address = reachable_api(state).address if url is None else check_address(url)
    book = JoinBook(state)
    if event.join is not None:
        _change(book, event.join, is_closed=is_closed, new_code=new_code)
    now = invite(book, event, address, datetime.now(UTC))
    if as_json:
        output.data_json(asdict(now))
        return
    taken = f"{now.taken} of {now.places} places are taken"
    flags = state_flags(state)
    if now.closed:
        output.talk(f"Joining is closed: {now.closed}. {taken}.")
        more = ("join", "--open") if book.load().is_closed else ("keys",)
        output.next_command(command(*more, *flags))
        return
    from centralized_ml_api.api.qr import render_qr

    output.data(f"{render_qr(now.link)}\n\n{now.link}")
    if url is None:
        tell_address(address, "The link names")
    output.talk(f"{taken}{f'; joining ends at {now.until}' if now.until else ''}.")
    output.next_command(command("join", "--close", *flags))


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
    from centralized_ml_api.local.keys import KeyStore
    from centralized_ml_api.local.keys.places import count_taken

    plan = event.join
    if plan is None:
        raise UsageError(
            "nobody can join: the config has no places",
            fix='add them, such as "event": {"join": {"teams": 40}}',
        )
    until = render_instant(plan.until) if plan.until else ""
    closed = "an organizer closed it" if book.load().is_closed else ""
    if plan.until and plan.until <= now:
        closed = f"it was open until {until}"
    code = book.code_of(plan)
    taken = count_taken(KeyStore(book.path.parent).load() or (), {team.name for team in event.teams})
    return Invitation(f"{address}{JOIN_PATH}#code={code}", code, closed, until, plan.places, taken)


def _change(book: JoinBook, plan: JoinPlan, *, is_closed: bool | None, new_code: bool) -> None:
    if new_code and plan.code is not None:
        raise UsageError(
            "the config names the code", fix="change `event.join.code`, or remove it, so that one is made"
        )
    if new_code:
        book.renew_code()
    if is_closed is not None:
        book.set_closed(is_closed=is_closed)
