"""`mlapi down`: stops the local target."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from centralized_ml_api.cli import output
from centralized_ml_api.cli.options import state_option

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@state_option
def down(state: Path) -> None:
    """Stop what runs here: calls under way are finished, then every process ends."""
    from centralized_ml_api.local.state_folder import StateFolder  # noqa: PLC0415  # only this verb pays for it

    run = StateFolder(state).load_run()
    output.talk(f"Stopping mlapi (pid {run.pid})…")
    run.stop()
    output.talk("Stopped: no process is left.")
    output.next_command("mlapi up")
