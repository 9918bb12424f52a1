"""`mlapi plan`: shows what would exist."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from centralized_ml_api.aws.settings import stack_flags
from centralized_ml_api.cli import output
from centralized_ml_api.cli.aws_limits import find_limit_problems
from centralized_ml_api.cli.costing import build_priced_plan, load_best_prices
from centralized_ml_api.cli.loading import check_jumpstart, load_plan_and_warn, tell_warnings
from centralized_ml_api.cli.options import (
    Target,
    config_argument,
    json_option,
    log_folder_option,
    region_option,
    stack_option,
    target_option,
)
from centralized_ml_api.cli.targets import open_aws_target
from centralized_ml_api.commands import command
from centralized_ml_api.config.load import load_config
from centralized_ml_api.config.render import problem_data
from centralized_ml_api.errors import DeployError, NotInstalledError
from centralized_ml_api.plan.cost_report import DAY, cost_json
from centralized_ml_api.plan.render import plan_json, render_plan

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@config_argument
@target_option("Show what would exist on this machine, or on AWS.")
@region_option
@stack_option
@log_folder_option
@json_option
def plan(
    config: Path,
    target: Target,
    region: str | None,
    stack: str,
    state: Path,
    *,
    as_json: bool,
) -> None:
    """Show what would exist: every path and what serves it.

    With --target aws it also shows what AWS would refuse for its quotas and, where the config is deployed
    already, what a deploy would change and replace, and what callers would notice.
    """
    if target == "aws":
        _show_aws(config, region, stack, state, as_json=as_json)
        return
    decided = load_plan_and_warn(config)
    if as_json:
        output.data_json(plan_json(decided, target))
        return
    output.data(render_plan(decided, target))
    output.next_command(command("up", config))


def _show_aws(config: Path, region: str | None, stack: str, state: Path, *, as_json: bool) -> None:
    prices = load_best_prices(region)
    loaded = load_config(config, now=datetime.now(UTC), region=prices.region)
    facts = check_jumpstart(loaded, prices.region)
    limits = find_limit_problems(loaded, facts, prices.region)
    tell_warnings(loaded.warnings, config)
    decided, cost = build_priced_plan(loaded, prices, facts)
    text, data = _compare(config, region, stack, state)
    if as_json:
        compared = {"compared": text.splitlines()[0], "changes": data}
        exceeded = [problem_data(problem) for problem in limits]
        planned = {**plan_json(decided, "aws"), "limits": exceeded}
        output.data_json({**planned, "cost": cost_json(cost, [DAY]), **compared})
        return
    over = "".join(f"\nMore than AWS allows: {limit.found}\n  fix: {limit.fix}" for limit in limits)
    output.data(f"{render_plan(decided, 'aws', cost)}{over}\n\n{text}")
    output.next_command(command("deploy", config, *stack_flags(region, stack)))


def _compare(
    config: Path, region: str | None, stack: str, state: Path
) -> tuple[str, list[dict[str, object]] | None]:
    """Returns what a deploy would change, as text and as data; no data where nothing can be compared."""
    try:
        target, clients = open_aws_target(config, region=region, stack=stack, state=state)
        from centralized_ml_api.aws.deploy.changes import changes_data, load_changes, render_changes

        changes = load_changes(target, clients, output.talk)
    except (DeployError, NotInstalledError) as error:
        return f"Not compared with what is deployed: {error.message.partition(chr(10))[0]}.", None
    if changes is None:
        return f"There is no stack {stack} in {target.region} yet: everything would be new.", None
    head = f"Against {stack} in {target.region}, as it is deployed:"
    return f"{head}\n{render_changes(changes)}", changes_data(changes)
