"""`mlapi usage`: shows who called what, how often and how fast, and writes the report of an event."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from centralized_ml_api.aws.settings import stack_flags
from centralized_ml_api.cli import output
from centralized_ml_api.cli.options import (
    Duration,
    Target,
    config_argument,
    json_option,
    region_option,
    stack_option,
    state_option,
    target_option,
)
from centralized_ml_api.commands import command, state_flags
from centralized_ml_api.errors import MlApiError, NotRunningError, StartError, UsageError
from centralized_ml_api.extras import check_installed
from centralized_ml_api.plan.usage.table import render_usage, render_usage_csv, usage_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from centralized_ml_api.plan.usage.types import UsageTable

_LOCAL_COST = "This machine served the calls: AWS bills nothing."


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the numbers are, as the flags say it."""

    config: Path
    target: Target
    state: Path
    region: str | None
    stack: str

    @property
    def words(self) -> tuple[object, ...]:
        """The words with which a next command counts the same calls."""
        if self.target == "aws":
            return self.config, "--target", "aws", *stack_flags(self.region, self.stack)
        return state_flags(self.state)


@click.command()
@config_argument
@click.option(
    "--since", "seconds", type=Duration(), help="Count the last 90m, 24h or 2d. Default: everything."
)
@target_option("Count the calls of this machine, or of what is deployed.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV for spreadsheets.")
@json_option
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a Markdown report to this file, and a chart beside it.",
)
@state_option
@region_option
@stack_option
def usage(
    *,
    config: Path,
    seconds: float | None,
    target: Target,
    report: Path | None,
    state: Path,
    region: str | None,
    stack: str,
    as_csv: bool,
    as_json: bool,
) -> None:
    """Show the calls by team and model: requests, errors, latency.

    On this machine nothing needs to run. CONFIG is read only for the cost in the report.
    """
    if as_csv and as_json:
        raise UsageError("--csv and --json cannot be combined", fix="choose one of them")
    sources = Sources(config, target, state, region, stack)
    table = load_usage(sources, datetime.now(UTC) - timedelta(seconds=seconds) if seconds else None)
    if report:
        chart = write_report(report, table, sources)
        output.talk(f"Wrote {report} and {chart}")
    if as_json:
        output.data_json({"target": target, **usage_json(table)})
    elif as_csv:
        output.data(render_usage_csv(table).rstrip("\n"))
    elif not report:
        output.data(render_usage(table))
        output.next_command(command("usage", *sources.words, "--report", "report.md"))


def load_usage(sources: Sources, since: datetime | None) -> UsageTable:
    """Returns the calls of one target since an instant; None for all of them.

    Raises:
        NotRunningError: Nothing was ever called with this state folder.
        StartError: The counts cannot be read.
        DeployError: AWS refused, or there is no such stack.
        NotInstalledError: The extra `aws` is not installed.
    """
    if sources.target == "local":
        return _load_local(sources.state.absolute(), since)
    check_installed("aws")
    from centralized_ml_api.aws.clients import AwsClients
    from centralized_ml_api.aws.usage.past_calls import load_table

    return load_table(AwsClients(sources.region), sources.stack, since)


def _load_local(state: Path, since: datetime | None) -> UsageTable:
    from centralized_ml_api.local.usage.collector import UsageCollector

    collector = UsageCollector.of_state(state)
    if not collector.has_any:
        raise NotRunningError(
            f"nothing was called yet with the state folder {state}",
            fix="name another state folder with --state, or a deployment with --target aws",
        )
    try:
        return collector.load_table(since)
    except (sqlite3.Error, OSError) as error:
        raise StartError(
            f"the calls in {collector.store.path} cannot be counted: {error}",
            fix="check the disk and the owner of the folder; meanwhile no count is lost",
        ) from error


def write_report(report: Path, table: UsageTable, sources: Sources) -> Path:
    """Writes the report and a chart beside it.

    Args:
        report: The file of the report.
        table: What was called.
        sources: For the cost.

    Returns:
        The path of the chart.

    Raises:
        UsageError: A file cannot be written.
    """
    from centralized_ml_api.plan.usage.plot import render_plot
    from centralized_ml_api.plan.usage.report import render_report

    chart = report.with_suffix(".svg")
    if chart == report:
        raise UsageError(
            f"{report} would be overwritten by its chart", fix="choose another ending, such as REPORT.md"
        )
    money = list(_money(table, sources)) if sources.target == "aws" else [_LOCAL_COST]
    page = render_report(table, plot=chart.name, money=money)
    try:
        chart.write_text(render_plot(table.hours), encoding="utf-8")
        report.write_text(page, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{error.filename or report} cannot be written: {error.strerror}", fix="choose another file"
        ) from error
    return chart


def _money(table: UsageTable, sources: Sources) -> Iterable[str]:
    """Yields what instances and calls cost until the last call, as far as prices are known."""
    from centralized_ml_api.aws.clients import AwsClients
    from centralized_ml_api.aws.usage.past_calls import load_made
    from centralized_ml_api.cli.costing import build_period, load_cost
    from centralized_ml_api.plan.cost import hours_until
    from centralized_ml_api.plan.cost_report import render_prices_day, render_total
    from centralized_ml_api.plan.usage.report import escape_markdown

    if not table.rows:
        return
    try:
        plan, cost = load_cost(sources.config, sources.region)
    except MlApiError as error:
        yield f"Not known: {escape_markdown(error.message)}"
        return
    made = load_made(AwsClients(sources.region), sources.stack)
    lasted = hours_until(max(row.last for row in table.rows), made)
    period = build_period("from the deploy to the last call", lasted, plan.event, made)
    yield f"Instances, {period.called} ({period.hours:.1f} hours): {render_total(cost, period)}."
    calls = cost.of_requests(table.requests)
    if calls:
        yield f"{output.counted(table.requests, 'call')}: {calls.low:.2f} to {calls.high:.2f} USD."
    if plan.event.budget:
        yield f"The budget was {Decimal(str(plan.event.budget.usd)):,.2f} USD a month."
    yield f"By {render_prices_day(cost)}. Instances are billed until they are deleted, called or not."
