"""`mlapi resume`: ends a pause."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from centralized_ml_api.cli import output
from centralized_ml_api.cli.options import Target, region_option, stack_option, state_option, target_option
from centralized_ml_api.cli.targets import connect, open_aws_acts
from centralized_ml_api.cli.verbs.pause import check_one, name_paused, target_flags
from centralized_ml_api.commands import DEFAULT_CONFIG, command

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.argument("name", required=False)
@click.option("--team", help="End the pause of this team instead.")
@target_option("Resume what runs on this machine, or what is deployed.")
@state_option
@region_option
@stack_option
def resume(
    name: str | None, team: str | None, *, target: Target, state: Path, region: str | None, stack: str
) -> int:
    """End the pause of a model, or without NAME that of every model.

    A model or a team that was paused by its name stays paused until it is resumed by its name.
    """
    check_one(name, team)
    if target == "aws":
        acts = open_aws_acts(DEFAULT_CONFIG, region=region, stack=stack, state=state)
        acts.do("resume", name_paused(name, team))
    else:
        connect(state).resume(name, team=team)
    output.data(f"{name or team or 'The API'} is no longer paused.")
    output.next_command(command("status", *target_flags(target, state, region, stack)))
    return 0
