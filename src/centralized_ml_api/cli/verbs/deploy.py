"""`mlapi deploy`: deploys the config to AWS."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from centralized_ml_api.cli import output
from centralized_ml_api.cli.costing import judge_budget
from centralized_ml_api.cli.options import (
    aws_flags,
    config_argument,
    config_unless_default,
    json_option,
    log_folder_option,
    region_option,
    stack_option,
    yes_option,
)
from centralized_ml_api.cli.targets import load_target_plan, open_aws_target
from centralized_ml_api.plan.aws.notes import how_often, who_may_call
from centralized_ml_api.plan.cost import build_cost
from centralized_ml_api.plan.cost_text import DAY, render_prices_day, render_total

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.aws.target import AwsTarget
    from centralized_ml_api.plan.cost import Cost
    from centralized_ml_api.plan.types import ApiPlan, ModelDeployment

_ENDPOINT_OUTPUT = "MyApiEndpoint"


@click.command()
@config_argument
@yes_option
@region_option
@stack_option
@log_folder_option
@json_option
def deploy(config: Path, region: str | None, stack: str, state: Path, *, yes: bool, as_json: bool) -> None:
    """Deploy CONFIG to AWS, or update what is deployed.

    Without `event.teams` the API is public: no keys are asked for. Instances are billed by the hour until
    `mlapi destroy`.
    """
    target, clients = open_aws_target(config, region=region, stack=stack, state=state)
    plan = load_target_plan(target)
    from centralized_ml_api.aws import deployment
    from centralized_ml_api.aws.prices import load_prices

    packages = [model.name for model in plan.models if model.container.package_arn]
    cost = build_cost(plan.api, load_prices(clients), packages=packages)
    again = aws_flags(region, stack)
    output.talk(_announcement(plan.api, target, again))
    output.confirm(_question(cost, plan.api), yes=yes)
    outputs = deployment.deploy(target, clients, output.talk)
    _show(target, outputs, f"{config_unless_default(config)}{again}", as_json=as_json)


def _announcement(plan: ApiPlan, target: AwsTarget, again: str) -> str:
    """Returns who may call and what costs money, before anything is done."""
    billed = [_billed(entry) for entry in plan.deployments if entry.instances]
    cost = (
        f"Billed by the hour from now until `mlapi destroy`, called or not: {'; '.join(billed)}."
        if billed
        else "No instances are started; calls are billed."
    )
    return "\n".join(
        [
            f"Deploying {target.config} as {target.stack} in {target.region}.",
            _who_may_call(plan, again),
            cost,
        ]
    )


def _who_may_call(plan: ApiPlan, again: str) -> str:
    if plan.event.teams:
        return f"{who_may_call(plan.event)} `mlapi keys --target aws{again}` shows them afterwards."
    public = "The API is PUBLIC: everybody who knows its address may call it, no keys are asked for."
    return f"{public} {how_often(plan.event.throttle)}"


def _question(cost: Cost, plan: ApiPlan) -> str:
    """Says what it costs; returns the question, which names a deploy above the budget as one."""
    if cost.hourly.high or not cost.is_complete:
        output.talk(
            f"It costs {render_total(cost)} an hour, {render_total(cost, DAY)} a day"
            f" ({render_prices_day(cost)}); `mlapi cost` says more."
        )
    verdict, budget = judge_budget(cost, plan.event, datetime.now(UTC))
    if budget:
        output.talk(budget)
    return "Deploy above the budget?" if verdict == "above" else "Deploy?"


def _billed(entry: ModelDeployment) -> str:
    scaling = entry.autoscaling
    count = f"{scaling.min_capacity} to {scaling.max_capacity}" if scaling else "1"
    return f"{entry.name} {count} x {' or '.join(entry.instances)}"


def _show(target: AwsTarget, outputs: dict[str, str], again: str, *, as_json: bool) -> None:
    address = outputs.get(_ENDPOINT_OUTPUT, "")
    if as_json:
        output.data_json(
            {"stack": target.stack, "region": target.region, "address": address, "outputs": outputs}
        )
        return
    output.data(f"{target.stack}.{_ENDPOINT_OUTPUT} = {address}")
    output.next_command(f"mlapi call NAME --url {address}; at the end of the event: mlapi destroy{again}")
