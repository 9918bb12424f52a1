"""`mlapi cost`: what the config costs on AWS, before it is deployed."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from centralized_ml_api.aws.settings import DEFAULT_STACK
from centralized_ml_api.cli import output
from centralized_ml_api.cli.again import aws_flags
from centralized_ml_api.cli.costing import event_period, judge_budget, load_cost
from centralized_ml_api.cli.options import config_argument, json_option, region_option
from centralized_ml_api.cli.real_range import RealRange
from centralized_ml_api.plan.cost_json import cost_json
from centralized_ml_api.plan.cost_text import DAY, Period, render_cost

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.plan.event import EventPlan

_MOST_HOURS = 24 * 366


@click.command()
@config_argument
@click.option(
    "--hours",
    type=RealRange(0, _MOST_HOURS, min_open=True),
    help="For so many hours; without it, a day, and until the event ends.",
)
@click.option(
    "--requests",
    "number",
    type=click.IntRange(0),
    help="What so many calls cost together; without it, a million of them.",
)
@region_option
@json_option
def cost(config: Path, hours: float | None, number: int | None, region: str | None, *, as_json: bool) -> None:
    """Say what the config costs on AWS: instances by the hour, and calls.

    By AWS's price list: with credentials AWS is asked, else the list that comes with this version is used.
    A price that is not known is said to be so, and the sum is then "at least".
    """
    plan, found = load_cost(config, region)
    now = datetime.now(UTC)
    periods = _periods(hours, plan.event, now)
    verdict, budget = judge_budget(found, plan.event, now)
    if as_json:
        output.data_json({**cost_json(found, periods, number), "budget": verdict})
        return
    again = aws_flags(region, DEFAULT_STACK)
    output.data("\n\n".join(filter(None, (render_cost(found, periods, number), budget))))
    output.next_command(f"mlapi doctor {config}{again}, then mlapi deploy {config}{again}")


def _periods(hours: float | None, event: EventPlan, now: datetime) -> list[Period]:
    if hours is not None:
        return [Period(f"in {hours:g} hours", Decimal(str(hours)))]
    return [DAY, event_period(event, now)] if event.ends else [DAY]
