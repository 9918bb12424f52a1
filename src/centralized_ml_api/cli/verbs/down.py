"""`mlapi down`: stops the local target."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from centralized_ml_api.cli import output
from centralized_ml_api.cli.options import state_option
from centralized_ml_api.commands import command
from centralized_ml_api.errors import NotRunningError

if TYPE_CHECKING:
    from centralized_ml_api.local.machine.state_folder import Run


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
    except NotRunningError as error:
        if left := end_orphans(folder.path):
            output.talk(
                f"Ended what a killed mlapi had left: {output.counted(left, 'process', 'processes')}."
            )
            if killed := folder.last_run():
                output.next_command(_start_again(killed))
            return
        raise NotRunningError(
            error.message,
            fix="change to the folder where it was started, or name its state folder with --state",
        ) from error
    output.talk(f"Stopping mlapi (pid {run.pid})…")
    run.stop()
    output.talk("Stopped: no process is left.")
    output.next_command(_start_again(run))


def _start_again(run: Run) -> str:
    return command("up", Path(run.config), *run.flags)
