"""`mlapi resume`: ends a pause."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from centralized_ml_api.cli import output
from centralized_ml_api.cli.options import state_option
from centralized_ml_api.cli.targets import connect
from centralized_ml_api.cli.verbs.pause import check_one
from centralized_ml_api.commands import command, state_flags

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.argument("name", required=False)
@click.option("--team", help="End the pause of this team instead.")
@state_option
def resume(name: str | None, team: str | None, state: Path) -> int:
    """End the pause of a model, or without NAME that of every model.

    A model or a team that was paused by its name stays paused until it is resumed by its name.
    """
    check_one(name, team)
    connect(state).resume(name, team=team)
    output.data(f"{name or team or 'The API'} is no longer paused.")
    output.next_command(command("status", *state_flags(state)))
    return 0
