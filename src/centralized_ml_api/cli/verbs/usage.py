"""`mlapi usage`: who called what, how often and how fast."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from centralized_ml_api.cli import output
from centralized_ml_api.cli.duration import Duration
from centralized_ml_api.cli.options import (
    config_argument,
    json_option,
    region_option,
    stack_option,
    state_option,
    target_option,
)
from centralized_ml_api.cli.usage_sources import Sources, load_usage
from centralized_ml_api.errors import UsageError
from centralized_ml_api.plan.usage.plain import render_usage_csv, usage_json
from centralized_ml_api.plan.usage.text import render_usage

if TYPE_CHECKING:
    from centralized_ml_api.plan.usage.types import UsageTable


@click.command()
@config_argument
@click.option(
    "--since", "seconds", type=Duration(), help="Of the last 90m, 24h, 2d; without it, of all times."
)
@target_option("Of this machine, or of what is deployed.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV for spreadsheets.")
@json_option
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a report in Markdown to this file, and a drawing beside it.",
)
@state_option
@region_option
@stack_option
def usage(  # noqa: PLR0917  # click names them all
    config: Path,
    seconds: float | None,
    target: Literal["local", "aws"],
    report: Path | None,
    state: Path,
    region: str | None,
    stack: str,
    *,
    as_csv: bool,
    as_json: bool,
) -> None:
    """Show the calls by team and model: requests, errors, latency, bytes.

    On this machine it needs nothing that runs. CONFIG is read for the cost in the report alone.
    """
    if as_csv and as_json:
        raise UsageError("--csv and --json cannot be had at once")
    sources = Sources(config, target, state, region, stack)
    since = datetime.now(UTC) - timedelta(seconds=seconds) if seconds else None
    table = load_usage(sources, since)
    if report:
        _write_report(report, table, sources)
    if as_json:
        output.data_json({"target": target, **usage_json(table)})
    elif as_csv:
        output.data(render_usage_csv(table).rstrip("\n"))
    elif not report:
        output.data(render_usage(table))
        output.next_command("mlapi usage --since 24h, --csv, --report REPORT.md")


def _write_report(report: Path, table: UsageTable, sources: Sources) -> None:
    from centralized_ml_api.cli.usage_report import write_report  # noqa: PLC0415  # only the report pays for it

    drawing = write_report(report, table, sources)
    output.talk(f"Written: {report} and {drawing}")
