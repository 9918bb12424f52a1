"""`mlapi join`: shows the link by which teams join, closes the door, makes another code."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from centralized_ml_api.cli import output
from centralized_ml_api.cli.options import json_option, state_option
from centralized_ml_api.cli.request import check_address, reachable_api
from centralized_ml_api.cli.targets import running_config
from centralized_ml_api.cli.verbs.keys import tell_address
from centralized_ml_api.commands import command, state_flags

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.option(
    "--close", "is_closed", flag_value=True, type=bool, default=None, help="Let nobody join any more."
)
@click.option("--open", "is_closed", flag_value=False, type=bool, default=None, help="Let teams join again.")
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
    from centralized_ml_api.local.keys.invitation import change_joining, has_ended, invite
    from centralized_ml_api.local.run.reload import load_plan

    event = load_plan(running_config(state)).event
    address = reachable_api(state).address if url is None else check_address(url)
    book = JoinBook(state)
    present = datetime.now(UTC)
    change_joining(book, event, present, is_closed=is_closed, new_code=new_code)
    now = invite(book, event, address, present)
    if as_json:
        output.data_json(asdict(now))
        return
    taken = f"{now.taken} of {now.places} places are taken"
    flags = state_flags(state)
    if now.closed:
        output.talk(f"Joining is closed: {now.closed}. {taken}.")
        is_over = event.join is not None and has_ended(event.join, present)
        more = ("keys",) if is_over else ("join", "--open")
        output.next_command(command(*more, *flags))
        return
    from centralized_ml_api.api.qr import render_qr

    output.data(f"{render_qr(now.link)}\n\n{now.link}")
    if url is None:
        tell_address(address, "The link names")
    output.talk(f"{taken}{f'; joining ends at {now.until}' if now.until else ''}.")
    output.next_command(command("join", "--close", *flags))
