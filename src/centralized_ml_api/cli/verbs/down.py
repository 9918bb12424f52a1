"""`mlapi down`: stops the local target."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from centralized_ml_api.cli import output
from centralized_ml_api.cli.options import state_flag, state_option
from centralized_ml_api.errors import NotRunningError


@click.command()
@state_option
def down(state: Path) -> None:
    """Stop what runs here, after the calls under way.

    No process is left, even if `mlapi up` was killed.
    """
    from centralized_ml_api.local.machine.state_folder import StateFolder
    from centralized_ml_api.local.supervision.orphans import end_orphans

    folder = StateFolder(state)
    try:
        run = folder.load_run()
    except NotRunningError:
        if left := end_orphans(folder.path):
            output.talk(
                f"Ended what a killed mlapi had left: {output.counted(left, 'process', 'processes')}."
            )
            output.next_command(f"mlapi up{state_flag(state)}")
            return
        raise
    output.talk(f"Stopping mlapi (pid {run.pid})…")
    run.stop()
    output.talk("Stopped: no process is left.")
    output.next_command(f"mlapi up {shlex.quote(output.shown_path(Path(run.config)))}{state_flag(state)}")
