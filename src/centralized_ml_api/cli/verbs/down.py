"""`mlapi down`: stops the local target."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from centralized_ml_api.cli import output
from centralized_ml_api.cli.again import state_flag
from centralized_ml_api.cli.options import state_option
from centralized_ml_api.cli.shown_path import shown_path
from centralized_ml_api.errors import NotRunningError


@click.command()
@state_option
def down(state: Path) -> None:
    """Stop what runs here: calls under way are finished, then every process ends."""
    from centralized_ml_api.local.machine.state_folder import StateFolder  # noqa: PLC0415  # only this verb pays for it
    from centralized_ml_api.local.supervision.orphans import end_orphans  # noqa: PLC0415

    folder = StateFolder(state)
    try:
        run = folder.load_run()
    except NotRunningError:
        if left := end_orphans(folder.path):
            output.talk(f"Ended what a killed mlapi had left ({left} processes).")
            return
        raise
    output.talk(f"Stopping mlapi (pid {run.pid})…")
    run.stop()
    output.talk("Stopped: no process is left.")
    output.next_command(f"mlapi up {shlex.quote(shown_path(Path(run.config)))}{state_flag(state)}")
