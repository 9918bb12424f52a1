"""`mlapi resume`: ends a pause."""

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
@click.argument("name", required=False)
@state_option
def resume(name: str | None, state: Path) -> int:
    """End the pause of a model, or without NAME that of every model.

    A model that was paused by its name stays paused until it is resumed by its name.
    """
    connect(state).resume(name)
    output.data(f"{name or 'The API'} is no longer paused.")
    output.next_command(command("status", *state_flags(state)))
    return 0
