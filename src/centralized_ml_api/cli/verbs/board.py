"""`mlapi board`: prints the link to the organizer's screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from centralized_ml_api.cli import output
from centralized_ml_api.cli.options import json_option, state_option
from centralized_ml_api.cli.targets import connect
from centralized_ml_api.commands import command, state_flags
from centralized_ml_api.errors import NotRunningError

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@state_option
@json_option
def board(state: Path, *, as_json: bool) -> None:
    """Print the link to the organizer's screen.

    Open it in a browser on this machine. It shows models, teams and errors as they are now. The link has a
    token, which is valid until the API stops: show it to nobody.
    """
    link = connect(state).board_link()
    if not link:
        raise NotRunningError("the organizer's screen is still starting", fix="try again in a moment")
    if as_json:
        output.data_json({"link": link})
        return
    output.data(link)
    output.talk("Open it in a browser on this machine. Whoever has it can do what you can.")
    output.next_command(command("status", *state_flags(state)))
