"""`mlapi reload`: applies a changed config to the running local target."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from centralized_ml_api.cli import output
from centralized_ml_api.cli.again import state_flag
from centralized_ml_api.cli.loading import tell_warnings
from centralized_ml_api.cli.options import json_option, state_option
from centralized_ml_api.cli.reloaded import check_reloaded
from centralized_ml_api.config.load import examine_config


@click.command()
@click.argument("config", type=click.Path(path_type=Path), required=False)
@state_option
@json_option
def reload(config: Path | None, state: Path, *, as_json: bool) -> int:
    """Apply the changed config (or CONFIG instead) without dropping a call."""
    from centralized_ml_api.local.machine.state_folder import StateFolder  # noqa: PLC0415
    from centralized_ml_api.local.run.change import describe_reload  # noqa: PLC0415
    from centralized_ml_api.local.run.control import ControlClient  # noqa: PLC0415  # only this verb pays for it

    run = StateFolder(state).load_run()
    client = ControlClient(run)
    output.talk("Reloading: what is new starts beside the old…")
    changes = client.reload(config.absolute() if config else None)
    check_reloaded(changes)
    _tell_warnings(config or Path(run.config))
    if as_json:
        output.data_json(changes)
    else:
        output.data(describe_reload(changes))
        output.next_command(f"mlapi status{state_flag(state)}")
    return int(bool(changes["kept"] or changes["failed"]))


def _tell_warnings(config: Path) -> None:
    _, problems = examine_config(config, now=datetime.now(UTC))
    tell_warnings([one for one in problems if one.severity == "warning"], config)
