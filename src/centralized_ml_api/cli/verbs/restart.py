"""`mlapi restart`: starts the servers of a model anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from centralized_ml_api.cli import output
from centralized_ml_api.cli.options import state_option
from centralized_ml_api.cli.targets import connect
from centralized_ml_api.commands import command, state_flags

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.argument("name")
@state_option
def restart(name: str, state: Path) -> int:
    """Start the servers of a model anew, without dropping a call.

    The new ones start beside the old ones, which go on until the new ones are ready. For a while the model
    takes its memory twice; a model of a group starts at its next call instead.
    """
    client = connect(state)
    output.talk(f"Restarting {name}: the new servers start beside the old ones…")
    client.restart(name)
    output.data(f"{name} was restarted.")
    output.next_command(command("status", *state_flags(state)))
    return 0
