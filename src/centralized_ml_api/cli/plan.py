"""`mlapi plan`: what would exist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import click

from centralized_ml_api.cli import output
from centralized_ml_api.cli.loading import load_plan_and_warn
from centralized_ml_api.cli.options import config_argument, json_option
from centralized_ml_api.plan.render import plan_json, render_plan

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@config_argument
@click.option(
    "--target",
    type=click.Choice(["aws", "local"]),
    default="local",
    show_default=True,
    help="Where it would exist.",
)
@json_option
def plan(config: Path, target: Literal["aws", "local"], *, as_json: bool) -> None:
    """Show what would exist: every path, its model, who serves it and how."""
    decided = load_plan_and_warn(config)
    if as_json:
        output.data_json(plan_json(decided, target))
        return
    output.data(render_plan(decided, target))
    output.next_command(f"mlapi up {config}")
