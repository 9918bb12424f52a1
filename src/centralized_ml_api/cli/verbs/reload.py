"""`mlapi reload`: applies a changed config to the running local target."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from centralized_ml_api.cli import output
from centralized_ml_api.cli.loading import tell_warnings
from centralized_ml_api.cli.options import json_option, state_option
from centralized_ml_api.cli.targets import connect, reload_config, running_config
from centralized_ml_api.commands import command, state_flags
from centralized_ml_api.config.load import examine_config


@click.command()
@click.argument("config", type=click.Path(path_type=Path), required=False)
@state_option
@json_option
def reload(config: Path | None, state: Path, *, as_json: bool) -> int:
    """Apply a changed config without dropping a call.

    Without CONFIG, the file that is served is read again. New models start before old ones stop.
    """
    from centralized_ml_api.local.run.change import describe_reload

    client = connect(state)
    output.talk("Reloading: new models start beside the old ones…")
    changes = reload_config(client, config.absolute() if config else None)
    served = config or running_config(state)
    tell_warnings(examine_config(served, now=datetime.now(UTC))[1], served)
    if as_json:
        output.data_json(changes)
    else:
        output.data(describe_reload(changes))
        output.next_command(command("status", *state_flags(state)))
    return int(bool(changes["kept"] or changes["failed"]))
