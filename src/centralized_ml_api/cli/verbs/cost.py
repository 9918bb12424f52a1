"""`mlapi cost`: says what the config costs on AWS, before it is deployed."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from centralized_ml_api.aws.settings import DEFAULT_STACK, stack_flags
from centralized_ml_api.cli import output
from centralized_ml_api.cli.costing import build_period, event_period, judge_budget, load_cost
from centralized_ml_api.cli.loading import tell_warnings
from centralized_ml_api.cli.options import RealRange, config_argument, json_option, region_option
from centralized_ml_api.commands import command
from centralized_ml_api.config.load import load_config
from centralized_ml_api.errors import UsageError
from centralized_ml_api.plan.aws.hours import WARM_UP
from centralized_ml_api.plan.build import build_plan
from centralized_ml_api.plan.cost_report import DAY, Period, cost_json, render_cost
from centralized_ml_api.plan.hours import count_awake_time
from centralized_ml_api.plan.token_prices import build_token_costs, render_token_costs, token_costs_json

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
@click.option(
    "--tokens",
    nargs=2,
    type=click.IntRange(0),
    metavar="IN OUT",
    help="Instead, show what so many tokens of requests and of responses cost at each entry with a price.",
)
@region_option
@json_option
def cost(
    *,
    config: Path,
    hours: float | None,
    number: int | None,
    tokens: tuple[int, int] | None,
    region: str | None,
    as_json: bool,
) -> None:
    """Show what CONFIG costs on AWS: instances and calls. With --tokens: what tokens cost.

    Prices come from AWS if you have credentials, otherwise from the list that comes with this version. Where
    a price is unknown, the sum says "at least".
    """
    if tokens is not None:
        _show_tokens(config, *tokens, as_json=as_json)
        return
    plan, found = load_cost(config, region)
    now = datetime.now(UTC)
    periods = _periods(hours, plan.event, now)
    verdict, budget = judge_budget(found, plan.event, now)
    awake = count_awake_time(plan.event.hours, now, early=WARM_UP)
    if as_json:
        output.data_json({**cost_json(found, periods, number, awake), "budget": verdict})
        return
    output.data("\n\n".join(filter(None, (render_cost(found, periods, number, awake), budget))))
    output.next_command(command("doctor", config, *stack_flags(region, DEFAULT_STACK)))


def _show_tokens(config: Path, read: int, written: int, *, as_json: bool) -> None:
    """Prints what each team, and all of them, would pay for so many tokens."""
    loaded = load_config(config, now=datetime.now(UTC))
    tell_warnings(loaded.warnings, config)
    plan = build_plan(loaded)
    costs = build_token_costs(plan, read, written)
    if not costs:
        raise UsageError(
            "no entry of the config has a price", fix='say what its tokens cost: "price" of an entry'
        )
    if as_json:
        output.data_json(token_costs_json(costs, read, written))
        return
    output.data(render_token_costs(costs, read, written))
    output.next_command(command("up", config))


def _periods(hours: float | None, event: EventPlan, now: datetime) -> list[Period]:
    if hours is not None:
        called = f"in {hours:g} {'hour' if hours == 1 else 'hours'}"
        return [build_period(called, Decimal(str(hours)), event, now)]
    return [DAY, event_period(event, now)] if event.ends else [DAY]
