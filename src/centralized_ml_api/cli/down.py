"""`mlapi down`: stops the local target."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from centralized_ml_api.cli import output
from centralized_ml_api.cli.options import state_option


@click.command()
@state_option
def down(state: Path) -> None:
    """Stop what runs here: calls under way are finished, then every process ends."""
    from centralized_ml_api.local.state_folder import StateFolder  # noqa: PLC0415  # only this verb pays for it

    run = StateFolder(state).load_run()
    output.talk(f"Stopping mlapi (pid {run.pid})…")
    run.stop()
    output.talk("Stopped: no process is left.")
    output.next_command(f"mlapi up {shlex.quote(_shown(Path(run.config)))}")


def _shown(config: Path) -> str:
    """The path as the user would write it here: relative inside of the current folder, else absolute."""
    here = Path.cwd()
    return str(config.relative_to(here) if config.is_relative_to(here) else config)
