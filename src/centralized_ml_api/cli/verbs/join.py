"""`mlapi join`: shows the link by which teams join, closes the door, makes another code."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from centralized_ml_api.api.invitation import has_ended
from centralized_ml_api.cli import output
from centralized_ml_api.cli.options import json_option
from centralized_ml_api.cli.request import check_address
from centralized_ml_api.cli.targets import open_aws_target, running_config
from centralized_ml_api.cli.verbs.keys import tell_address
from centralized_ml_api.cli.verbs.keys.place import KeyPlace, place_options
from centralized_ml_api.commands import DEFAULT_CONFIG, command

if TYPE_CHECKING:
    from centralized_ml_api.api.invitation import Invitation


@click.command()
@click.option(
    "--close", "is_closed", flag_value=True, type=bool, default=None, help="Let nobody join any more."
)
@click.option("--open", "is_closed", flag_value=False, type=bool, default=None, help="Let teams join again.")
@click.option("--new-code", is_flag=True, help="Make another code; the old one ends.")
@click.option("--url", help="Write this address. Default: that of the API.")
@json_option
@place_options
def join(
    is_closed: bool | None,  # noqa: FBT001  # as click passes it
    url: str | None,
    place: KeyPlace,
    *,
    new_code: bool,
    as_json: bool,
) -> None:
    """Show the link by which teams join.

    It comes with its QR code, for a projector. Whoever has it can join while there are places, and gets the
    key of a team.
    """
    address = place.api().address.rstrip("/") if url is None else check_address(url)
    present = datetime.now(UTC)
    invite = _invite_on_aws if place.target == "aws" else _invite_here
    now = invite(place, address, present, is_closed=is_closed, new_code=new_code)
    if as_json:
        output.data_json(asdict(now))
        return
    taken = f"{now.taken} of {now.places} places are taken"
    if now.closed:
        output.talk(f"Joining is closed: {now.closed}. {taken}.")
        is_over = has_ended(datetime.fromisoformat(now.until) if now.until else None, present)
        more = ("keys",) if is_over else ("join", "--open")
        output.next_command(command(*more, *place.flags))
        return
    from centralized_ml_api.api.qr import render_qr

    output.data(f"{render_qr(now.link)}\n\n{now.link}")
    if url is None and place.target == "local":
        tell_address(address, "The link names")
    output.talk(f"{taken}{f'; joining ends at {now.until}' if now.until else ''}.")
    output.next_command(command("join", "--close", *place.flags))


def _invite_here(
    place: KeyPlace, address: str, now: datetime, *, is_closed: bool | None, new_code: bool
) -> Invitation:
    from centralized_ml_api.local.keys import JoinBook
    from centralized_ml_api.local.keys.invitation import change_joining, invite
    from centralized_ml_api.local.run.reload import load_plan

    event = load_plan(running_config(place.state)).event
    book = JoinBook(place.state)
    change_joining(book, event, now, is_closed=is_closed, new_code=new_code)
    return invite(book, event, address, now)


def _invite_on_aws(
    place: KeyPlace, address: str, now: datetime, *, is_closed: bool | None, new_code: bool
) -> Invitation:
    target, clients = open_aws_target(
        DEFAULT_CONFIG, region=place.region, stack=place.stack, state=place.state
    )
    from centralized_ml_api.aws.event.joining import AwsJoining

    joining = AwsJoining(target, clients)
    joining.change(now, is_closed=is_closed, new_code=new_code)
    return joining.invite(address, now)
