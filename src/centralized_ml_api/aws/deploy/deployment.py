"""Deploys, compares, extends and destroys one stack, through the CDK CLI where it can."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from centralized_ml_api.aws.cdk.bootstrap import find_qualifier, provide_bootstrap
from centralized_ml_api.aws.cdk.target import call_cdk
from centralized_ml_api.aws.deploy.account import load_account
from centralized_ml_api.aws.deploy.leftovers import (
    billed_resources,
    describe,
    find_everything_left,
    find_log_groups,
)
from centralized_ml_api.aws.deploy.log_role import choose_log_role
from centralized_ml_api.aws.event.keys import find_keys
from centralized_ml_api.aws.failures.explain import build_aws_error, build_cdk_error
from centralized_ml_api.aws.settings import stack_flags
from centralized_ml_api.aws.stack.contract import ADDRESS_OUTPUT
from centralized_ml_api.aws.stack.deployed_stack import (
    load_endpoint_history,
    load_failure_reasons,
    load_outputs,
    load_resources,
)
from centralized_ml_api.aws.stack.ending import load_ending
from centralized_ml_api.aws.stack.live_endpoints import (
    ROLLED_BACK,
    describe_rollback,
    load_live_endpoints,
    repair_rollback,
)
from centralized_ml_api.commands import command
from centralized_ml_api.errors import DeployError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from centralized_ml_api.aws.cdk.cdk_cli import CdkRun
    from centralized_ml_api.aws.cdk.target import AwsTarget
    from centralized_ml_api.aws.clients import AwsClients
    from centralized_ml_api.aws.stack.deployed_stack import StackResource

    Say = Callable[[str], None]

_STACK_EVENT = re.compile(
    r"^\S+ +\| +[\d/ ]+\| [^|]+\| (?P<status>[A-Z_]+) +\| (?P<type>[\w:]+) +\| (?P<resource>.*)$"
)
"""How the CDK CLI prints a stack event: `Stack | 1/9 | 3:44:05 PM | STATUS | Type | Resource (Id)`."""

_APP_FAILED = "Subprocess exited with error"
"""What the CDK CLI prints when the app failed, not AWS."""


@dataclass(frozen=True, slots=True)
class DestroyReport:
    """The resources that could cost money before a destroy, and those that are left after it."""

    asked: tuple[str, ...]
    left: tuple[str, ...]


def deploy(target: AwsTarget, clients: AwsClients, say: Say, agree: Say) -> dict[str, str]:
    """Brings the stack to what the config says; returns its outputs. Afterwards, call `check_live`.

    An account and region that were never used with the CDK are bootstrapped first, if the user agrees.

    Args:
        target: The stack and its config.
        clients: Of its region.
        say: Shows progress.
        agree: Is told what bootstrapping would make; returns if the user wants it, raises otherwise.

    Raises:
        DeployError: AWS does not know who you are, or the CDK or AWS refused.
    """
    account = load_account(clients)
    target = find_qualifier(target, clients)
    provide_bootstrap(target, clients, account, say=say, agree=agree)
    # Direct: an update needs no change set, which nobody would look at; `mlapi diff` shows the same before.
    more = ["--require-approval", "never", "--method", "direct", "--progress", "events"]
    more += choose_log_role(clients, target.stack, say)
    arguments = target.arguments("deploy", *more)
    run = call_cdk(target, arguments, say=say, on_line=lambda line: _say_stack_event(line, say))
    if run.status:
        raise _explained(run, target, clients, f"deploying {target.stack} failed")
    return load_outputs(clients.client("cloudformation"), target.stack)


def check_live(target: AwsTarget, clients: AwsClients, say: Say) -> None:
    """Checks that every endpoint runs what was deployed: SageMaker may go back to the old by itself.

    Args:
        target: What was deployed, and where.
        clients: Clients of its region.
        say: Takes the sentence that is said where the endpoints cannot be asked.

    Raises:
        DeployError: An endpoint does not run what was deployed.
    """
    try:
        endpoints = load_live_endpoints(clients, target.stack)
    except (BotoCoreError, ClientError) as error:
        say(f"Deployed. Whether the endpoints run what was deployed could not be asked: {error}")
        return
    wrong = [endpoint for endpoint in endpoints if not endpoint.is_as_deployed]
    if wrong:
        sentences = "\n  ".join(describe_rollback(endpoint) for endpoint in wrong)
        fixes = "\n  ".join(repair_rollback(endpoint, target.region) for endpoint in wrong)
        raise DeployError(
            f"{target.stack} was deployed, but SageMaker rolled back:\n  {sentences}",
            fix=f"{fixes}\n  read: {ROLLED_BACK}",
        )


def diff(target: AwsTarget, clients: AwsClients, say: Say) -> tuple[str, bool]:
    """Returns what a deploy would change, in the CDK CLI's own words, and whether it would change anything.

    Args:
        target: The stack and its config.
        clients: Of its region.
        say: Shows progress.

    Raises:
        DeployError: The CDK or AWS refused.
    """
    load_account(clients)
    target = find_qualifier(target, clients)
    run = call_cdk(target, target.arguments("diff", "--fail", "--no-change-set"), say=say)
    different = run.status == 1 and "Number of stacks with differences" in run.text
    if run.status and not different:
        raise build_cdk_error(f"comparing {target.stack} failed", run.text, [], target.log)
    return run.text, different


def extend(target: AwsTarget, clients: AwsClients, until: datetime) -> None:
    """Moves the instant at which the stack deletes itself.

    Args:
        target: The stack.
        clients: Of its region.
        until: The new instant, with a zone.

    Raises:
        DeployError: Nothing is deployed, it has no end, or AWS refused.
    """
    try:
        resources = load_resources(clients.client("cloudformation"), target.stack)
        ending = load_ending(clients, resources)
        if ending is None:
            what = "has no end yet" if resources else "is not deployed"
            raise DeployError(
                f"{target.stack} {what} in {target.region}",
                fix=command("deploy", target.config, *stack_flags(target.region, target.stack)),
            )
        ending.move(clients.client("scheduler"), until)
    except (BotoCoreError, ClientError) as error:
        what = f"cannot move the end of {target.stack}, or only a part of it"
        raise build_aws_error(what, error) from error


def load_address(target: AwsTarget, clients: AwsClients) -> str:
    """Returns the address of the API that is deployed.

    Raises:
        DeployError: Nothing is deployed, or AWS refused.
    """
    try:
        outputs = load_outputs(clients.client("cloudformation"), target.stack)
    except (BotoCoreError, ClientError) as error:
        raise build_aws_error(f"cannot read the address of {target.stack}", error) from error
    address = outputs.get(ADDRESS_OUTPUT)
    if not address:
        raise DeployError(
            f"{target.stack} has no API in {target.region}",
            fix="name another stack with --stack and --region",
        )
    return address


def destroy(target: AwsTarget, clients: AwsClients, say: Say) -> DestroyReport:
    """Deletes the stack, then asks every service whether its resources are gone.

    Args:
        target: The stack and its config.
        clients: Of its region.
        say: Shows progress.

    Raises:
        DeployError: The CDK or AWS refused, or the services could not be asked afterwards.
    """
    load_account(clients)
    target = find_qualifier(target, clients)
    try:
        cloudformation = clients.client("cloudformation")
        before = billed_resources(load_resources(cloudformation, target.stack))
        endpoints = load_endpoint_history(cloudformation, target.stack) if before else ()
        _destroy(target, clients, say)
        extra = _delete_what_no_template_names(clients, target.stack, [*before, *endpoints])
        left = find_everything_left(clients, before, target.stack)
    except (BotoCoreError, ClientError) as error:
        raise build_aws_error("cannot confirm that nothing is left", error) from error
    return DestroyReport((*map(describe, before), *extra), left)


def check_gone(report: DestroyReport, again: str) -> None:
    """Checks that nothing is left; `again` is the command that tries once more.

    Raises:
        DeployError: Something is left; the message names it.
    """
    if report.left:
        raise DeployError(
            "these resources are left and may cost money:\n  " + "\n  ".join(report.left),
            fix=f"delete them by hand, or run it again: {again}\n"
            "  read: docs/how-to/troubleshoot-aws.md#still-there",
        )


def _destroy(target: AwsTarget, clients: AwsClients, say: Say) -> None:
    """Deletes the stack with the CDK, or by name: a broken config must not keep instances running."""
    what = f"destroying {target.stack} failed"
    arguments = target.arguments("destroy", "--force")
    run = call_cdk(target, arguments, say=say, on_line=lambda line: _say_stack_event(line, say))
    if run.status and _APP_FAILED in run.text:
        say("The config can no longer be deployed; deleting the stack by its name.")
        _delete_by_name(clients.client("cloudformation"), target, what)
    elif run.status:
        raise _explained(run, target, clients, what)


def _delete_by_name(cloudformation: Any, target: AwsTarget, what: str) -> None:
    cloudformation.delete_stack(StackName=target.stack)
    waiter = cloudformation.get_waiter("stack_delete_complete")
    try:
        waiter.wait(StackName=target.stack, WaiterConfig={"Delay": 5, "MaxAttempts": 720})
    except WaiterError as error:
        reasons = load_failure_reasons(cloudformation, target.stack)
        raise build_cdk_error(what, str(error), reasons, target.log) from error


def _delete_what_no_template_names(
    clients: AwsClients, stack: str, resources: Sequence[StackResource]
) -> list[str]:
    """Deletes the keys of `mlapi keys rotate` and the endpoints' log groups; returns what it deleted."""
    gateway, logs = clients.client("apigateway"), clients.client("logs")
    keys, groups = find_keys(gateway, stack), find_log_groups(clients, resources)
    for key in keys:
        gateway.delete_api_key(apiKey=key["id"])
    for name in groups:
        logs.delete_log_group(logGroupName=name)
    return [*(f"key {key['id']}" for key in keys), *(f"log group {name}" for name in groups)]


def _explained(run: CdkRun, target: AwsTarget, clients: AwsClients, what: str) -> DeployError:
    reasons = load_failure_reasons(clients.client("cloudformation"), target.stack)
    return build_cdk_error(what, run.text, reasons, target.log)


def _say_stack_event(line: str, say: Say) -> None:
    found = _STACK_EVENT.match(line)
    if found:
        say(f"  {found['status']:<28} {found['type']} {found['resource'].strip()}")
