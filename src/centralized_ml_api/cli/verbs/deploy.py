"""`mlapi deploy`: deploys the config to AWS."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import click

from centralized_ml_api.aws.settings import DEFAULT_STACK, stack_flags
from centralized_ml_api.cli import output
from centralized_ml_api.cli.costing import judge_budget
from centralized_ml_api.cli.options import (
    config_argument,
    json_option,
    log_folder_option,
    qualifier_option,
    region_option,
    stack_option,
    yes_option,
)
from centralized_ml_api.cli.targets import load_target_plan, open_aws_target
from centralized_ml_api.commands import command
from centralized_ml_api.plan.cost import build_cost
from centralized_ml_api.plan.cost_report import DAY, render_prices_day, render_total
from centralized_ml_api.plan.event import how_often, who_may_call

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from centralized_ml_api.aws.cdk.target import AwsTarget
    from centralized_ml_api.aws.clients import AwsClients
    from centralized_ml_api.plan.aws.types import AwsPlan
    from centralized_ml_api.plan.cost import Cost
    from centralized_ml_api.plan.types import ApiPlan, ModelDeployment


@click.command()
@config_argument
@yes_option
@region_option
@stack_option
@qualifier_option
@click.option(
    "--bootstrap",
    is_flag=True,
    help="Bootstrap the account for the CDK where nobody has, without asking; --yes alone does not.",
)
@log_folder_option
@json_option
def deploy(
    config: Path,
    *,
    region: str | None,
    stack: str,
    qualifier: str | None,
    bootstrap: bool,
    state: Path,
    yes: bool,
    as_json: bool,
) -> None:
    """Deploy CONFIG to AWS, or update what is deployed.

    Without `event.teams` and `event.join` the API is public: no keys are asked for. Instances are billed by
    the hour until `mlapi destroy`.
    """
    target, clients = open_aws_target(config, region=region, stack=stack, state=state, qualifier=qualifier)
    plan = load_target_plan(target)
    from centralized_ml_api.aws.deploy import deployment
    from centralized_ml_api.aws.deploy.cost_tag import activate_cost_tag
    from centralized_ml_api.aws.event.joining import open_joining
    from centralized_ml_api.aws.planning.instance_prices import load_prices
    from centralized_ml_api.aws.stack.contract import ADDRESS_OUTPUT

    packages = [model.name for model in plan.models if model.container.package_arn]
    cost = build_cost(plan.api, load_prices(clients), packages=packages)
    flags = stack_flags(region, stack)
    output.talk(f"Deploying {target.config} as {target.stack} in {target.region}.")
    output.talk(describe_deploy(plan.api, flags))
    details = command("cost", config, *stack_flags(region, DEFAULT_STACK))
    verdict, budget = judge_budget(cost, plan.api.event, datetime.now(UTC))
    for sentence in filter(None, (_describe_cost(cost, details), budget)):
        output.talk(sentence)
    provider_keys = take_provider_keys(plan)
    output.confirm("Deploy above the budget?" if verdict == "above" else "Deploy?", yes=yes)
    outputs = deployment.deploy(target, clients, output.talk, partial(_agree_to_bootstrap, agreed=bootstrap))
    joining = plan.api.event.join
    open_joining(clients, outputs, joining.code if joining else None)
    complete_deploy(target, clients, outputs, provider_keys)
    address = outputs.get(ADDRESS_OUTPUT, "")
    if plan.api.event.budget:
        output.talk(activate_cost_tag(clients))
    if as_json:
        output.data_json(
            {"stack": target.stack, "region": target.region, "address": address, "outputs": outputs}
        )
        return
    output.data(f"{target.stack}.{ADDRESS_OUTPUT} = {address}")
    output.talk(f"At the end of the event: {command('destroy', config, *flags)}")
    output.next_command(next_step(plan.api, address, flags))


def complete_deploy(
    target: AwsTarget, clients: AwsClients, outputs: Mapping[str, str], provider_keys: Mapping[str, str]
) -> None:
    """Puts the providers' keys into the stack, then checks its endpoints: entries of providers need none.

    Args:
        target: The stack, which is deployed.
        clients: Of its region.
        outputs: Those of the stack.
        provider_keys: The keys, by the ids of their secrets in the plan.

    Raises:
        DeployError: A key cannot be put, or an endpoint does not run what was deployed.
    """
    from centralized_ml_api.aws.deploy.deployment import check_live
    from centralized_ml_api.aws.stack.provider_keys import put_provider_keys

    put_provider_keys(clients, outputs, provider_keys)
    check_live(target, clients, output.talk)


def take_provider_keys(plan: AwsPlan) -> dict[str, str]:
    """Returns the keys for the secrets of the stack, by their ids; before anything is deployed.

    Variables that hold keys are gone afterwards, so that the CDK and its packages never see them.

    Raises:
        StartError: A key is not where the config says.
    """
    from centralized_ml_api.local.servers.provider_keys import open_key
    from centralized_ml_api.plan.aws.types import OwnSecret

    own = [secret for secret in plan.stream.secrets if isinstance(secret, OwnSecret)]
    keys = {secret.id: open_key(secret.place, plan.api.folders).read() for secret in own}
    for secret in own:
        if secret.place.kind == "env":
            os.environ.pop(secret.place.where, None)
    return keys


def _agree_to_bootstrap(what: str, *, agreed: bool) -> None:
    output.talk(what)
    output.confirm("Bootstrap?", yes=agreed, flag="--bootstrap")


def describe_deploy(plan: ApiPlan, flags: Sequence[str]) -> str:
    """Returns who may call and what costs money, before anything is done. Pure.

    Args:
        plan: What is to be deployed.
        flags: Those with which a command names the same stack.
    """
    cost = _describe_billing(plan.deployments)
    if plan.event.needs_key:
        shown = command("keys", "--target", "aws", *flags)
        return f"{who_may_call(plan.event)} To list their keys, afterwards: {shown}\n{cost}"
    public = "The API is PUBLIC: whoever knows its address may call it, without a key."
    return f"{public} {how_often(plan.event.throttle)}\n{cost}"


def _describe_billing(entries: Iterable[ModelDeployment]) -> str:
    always, awake = list[str](), list[str]()
    for entry in entries:
        if entry.instances:
            sleeps = entry.autoscaling and entry.autoscaling.sleeps
            (awake if sleeps else always).append(_describe_instances(entry))
    sentences = []
    if always:
        billed = "; ".join(always)
        sentences.append(f"Billed by the hour from now until it is destroyed, called or not: {billed}.")
    if awake:
        sentences.append(f"Billed by the hour while awake, which it is at first: {'; '.join(awake)}.")
    return " ".join(sentences) or "No instance is started; only calls are billed."


def _describe_instances(entry: ModelDeployment) -> str:
    scaling = entry.autoscaling
    count = f"{scaling.min_capacity} to {scaling.max_capacity}" if scaling else "1"
    return f"{entry.name} {count} x {' or '.join(entry.instances)}"


def _describe_cost(cost: Cost, details: str) -> str:
    if cost.is_complete and not cost.hourly.high:
        return ""
    return (
        f"It costs {render_total(cost)} an hour, {render_total(cost, DAY)} a day"
        f" ({render_prices_day(cost)}). Details: {details}"
    )


def next_step(plan: ApiPlan, address: str, flags: Sequence[str]) -> str:
    """Returns the command that tries the API, or the one that hands out the keys it takes. Pure.

    Args:
        plan: What was deployed.
        address: Of the API.
        flags: Those with which a command names the same stack.
    """
    if plan.event.join:
        return command("join", "--target", "aws", *flags)
    if plan.event.teams:
        return command("keys", "export", "--target", "aws", *flags)
    return command("smoke", address)
