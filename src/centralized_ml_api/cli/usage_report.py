"""The report of `mlapi usage --report`: a page and a drawing, and what the event cost."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from centralized_ml_api.cli.costing import load_cost
from centralized_ml_api.errors import MlApiError, UsageError
from centralized_ml_api.plan.cost import hours_until
from centralized_ml_api.plan.cost_text import Period, render_prices_day, render_total
from centralized_ml_api.plan.usage.plot import render_plot
from centralized_ml_api.plan.usage.report import escape_markdown, render_report

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from centralized_ml_api.cli.usage_sources import Sources
    from centralized_ml_api.plan.usage.types import UsageTable

_LOCAL = "This machine served: AWS bills nothing."


def write_report(report: Path, table: UsageTable, sources: Sources) -> Path:
    """Writes the page and the drawing beside it, and gives the drawing's path.

    Raises:
        UsageError: a file cannot be written.
    """
    drawing = report.with_suffix(".svg")
    if drawing == report:
        raise UsageError(f"{report} is where the drawing goes", fix="name the report REPORT.md")
    money = _money(table, sources) if sources.target == "aws" else [_LOCAL]
    page = render_report(table, plot=drawing.name, money=list(money))
    try:
        drawing.write_text(render_plot(table.hours), encoding="utf-8")
        report.write_text(page, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{error.filename or report} cannot be written: {error.strerror}", fix="name another file"
        ) from error
    return drawing


def _money(table: UsageTable, sources: Sources) -> Iterable[str]:
    """What instances and calls came to until the last call, as far as prices are known."""
    if not table.rows:
        return
    try:
        plan, cost = load_cost(sources.config, sources.region)
    except MlApiError as error:
        yield f"Not known: {escape_markdown(error.message)}"
        return
    hours = hours_until(max(one.last for one in table.rows), _load_made(sources))
    period = Period("from the deploy to the last call", hours)
    yield f"Instances, {period.called} ({hours:.1f} hours): {render_total(cost, period)}."
    calls = cost.of_requests(table.requests)
    if calls:
        yield f"{table.requests:,} calls: {calls.low:.2f} to {calls.high:.2f} USD."
    if plan.event.budget:
        yield f"The budget was {Decimal(str(plan.event.budget.usd)):,.2f} USD a month."
    yield f"By {render_prices_day(cost)}. Instances are billed until they are deleted, called or not."


def _load_made(sources: Sources) -> datetime:
    from centralized_ml_api.aws.clients import AwsClients  # noqa: PLC0415  # only this target pays for it
    from centralized_ml_api.aws.usage import load_made  # noqa: PLC0415

    return load_made(AwsClients(sources.region), sources.stack)
