"""`mlapi sleep`: lets a model sleep now."""

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
def sleep(name: str, state: Path) -> int:
    """Let a model sleep, once the calls that it has are over.

    The next call wakes it.
    """
    connect(state).sleep(name)
    output.data(f"{name} sleeps once its calls are over; the next call wakes it.")
    output.next_command(command("status", *state_flags(state)))
    return 0
