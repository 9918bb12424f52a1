"""`mlapi deploy`: deploys the config to AWS."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from centralized_ml_api.cli import output
from centralized_ml_api.cli.costing import judge_budget
from centralized_ml_api.cli.options import (
    DEFAULT_CONFIG,
    aws_flags,
    config_argument,
    config_unless_default,
    flag_unless_default,
    json_option,
    log_folder_option,
    region_option,
    stack_option,
    yes_option,
)
from centralized_ml_api.cli.targets import load_target_plan, open_aws_target
from centralized_ml_api.plan.cost import build_cost
from centralized_ml_api.plan.cost_report import DAY, render_prices_day, render_total
from centralized_ml_api.plan.event import how_often, who_may_call

if TYPE_CHECKING:
    from pathlib import Path

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
    flags = aws_flags(region, stack)
    output.talk(f"Deploying {target.config} as {target.stack} in {target.region}.")
    output.talk(describe_deploy(plan.api, flags))
    verdict, budget = judge_budget(cost, plan.api.event, datetime.now(UTC))
    for sentence in filter(None, (_describe_cost(cost), budget)):
        output.talk(sentence)
    output.confirm("Deploy above the budget?" if verdict == "above" else "Deploy?", yes=yes)
    outputs = deployment.deploy(target, clients, output.talk)
    address = outputs.get(_ENDPOINT_OUTPUT, "")
    if as_json:
        output.data_json(
            {"stack": target.stack, "region": target.region, "address": address, "outputs": outputs}
        )
        return
    output.data(f"{target.stack}.{_ENDPOINT_OUTPUT} = {address}")
    destroy = f"mlapi destroy{config_unless_default(config)}{flags}"
    output.next_command(f"{next_step(plan.api, config, address, flags)}; at the end of the event: {destroy}")


def describe_deploy(plan: ApiPlan, flags: str) -> str:
    """Returns who may call and what costs money, before anything is done. Pure.

    Args:
        plan: what is to be deployed.
        flags: those with which a command names the same stack.
    """
    billed = "; ".join(_describe_instances(entry) for entry in plan.deployments if entry.instances)
    cost = (
        f"Billed by the hour from now until `mlapi destroy`, called or not: {billed}."
        if billed
        else "No instance is started; only calls are billed."
    )
    if plan.event.teams:
        return f"{who_may_call(plan.event)} `mlapi keys --target aws{flags}` shows them afterwards.\n{cost}"
    public = "The API is PUBLIC: whoever knows its address may call it, without a key."
    return f"{public} {how_often(plan.event.throttle)}\n{cost}"


def _describe_instances(entry: ModelDeployment) -> str:
    scaling = entry.autoscaling
    count = f"{scaling.min_capacity} to {scaling.max_capacity}" if scaling else "1"
    return f"{entry.name} {count} x {' or '.join(entry.instances)}"


def _describe_cost(cost: Cost) -> str:
    if cost.is_complete and not cost.hourly.high:
        return ""
    return (
        f"It costs {render_total(cost)} an hour, {render_total(cost, DAY)} a day"
        f" ({render_prices_day(cost)}); `mlapi cost` has the details."
    )


def next_step(plan: ApiPlan, config: Path, address: str, flags: str) -> str:
    """Returns the command that tries the API, or the one that hands out the keys it takes. Pure.

    Args:
        plan: what was deployed.
        config: the file.
        address: of the API.
        flags: those with which a command names the same stack.
    """
    if plan.event.teams:
        return f"mlapi keys export --target aws{flags} --url {address}"
    return f"mlapi smoke {address}{flag_unless_default('--config', str(config), str(DEFAULT_CONFIG))}"
