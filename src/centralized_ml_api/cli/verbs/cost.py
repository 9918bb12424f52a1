"""`mlapi cost`: says what the config costs on AWS, before it is deployed."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from centralized_ml_api.aws.settings import DEFAULT_STACK, stack_flags
from centralized_ml_api.cli import output
from centralized_ml_api.cli.costing import event_period, judge_budget, load_cost
from centralized_ml_api.cli.options import RealRange, config_argument, json_option, region_option
from centralized_ml_api.commands import command
from centralized_ml_api.plan.cost_report import DAY, Period, cost_json, render_cost

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.plan.event import EventPlan

_MOST_HOURS = 24 * 366


@click.command()
@config_argument
@click.option(
    "--hours",
    type=RealRange(0, _MOST_HOURS, min_open=True),
    help="Count this many hours. Default: a day, and until the event ends.",
)
@click.option(
    "--requests",
    "number",
    type=click.IntRange(0),
    help="Count this many calls. Default: a million.",
)
@region_option
@json_option
def cost(config: Path, hours: float | None, number: int | None, region: str | None, *, as_json: bool) -> None:
    """Show what CONFIG costs on AWS: instances and calls.

    Prices come from AWS if you have credentials, otherwise from the list that comes with this version. Where
    a price is unknown, the sum says "at least".
    """
    plan, found = load_cost(config, region)
    now = datetime.now(UTC)
    periods = _periods(hours, plan.event, now)
    verdict, budget = judge_budget(found, plan.event, now)
    if as_json:
        output.data_json({**cost_json(found, periods, number), "budget": verdict})
        return
    output.data("\n\n".join(filter(None, (render_cost(found, periods, number), budget))))
    output.next_command(command("doctor", config, *stack_flags(region, DEFAULT_STACK)))


def _periods(hours: float | None, event: EventPlan, now: datetime) -> list[Period]:
    if hours is not None:
        return [Period(f"in {hours:g} {'hour' if hours == 1 else 'hours'}", Decimal(str(hours)))]
    return [DAY, event_period(event, now)] if event.ends else [DAY]
