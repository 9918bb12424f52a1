"""Deploying, comparing and destroying one stack through the CDK CLI."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from centralized_ml_api.aws.account import load_account, load_bootstrap_version
from centralized_ml_api.aws.cdk_failure import build_aws_error, build_cdk_error
from centralized_ml_api.aws.deployed import load_outputs, load_resources
from centralized_ml_api.aws.keys import find_keys
from centralized_ml_api.aws.leftovers import (
    billed_resources,
    describe,
    find_endpoints,
    find_leftovers,
    find_log_groups,
)
from centralized_ml_api.aws.stack_events import read_reasons
from centralized_ml_api.aws.target import call_cdk
from centralized_ml_api.errors import DeployError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from centralized_ml_api.aws.cdk_cli import CdkRun
    from centralized_ml_api.aws.clients import AwsClients
    from centralized_ml_api.aws.deployed import StackResource
    from centralized_ml_api.aws.target import AwsTarget

    Say = Callable[[str], None]

_EVENT = re.compile(r"^\S+ +\| +[\d/ ]+\| [^|]+\| (?P<status>[A-Z_]+) +\| (?P<type>[\w:]+) +\| (?P<what>.*)$")
"""How the CDK CLI prints one event of a stack: `Stack | 1/9 | 3:44:05 PM | STATUS | Type | Resource (Id)`."""


_APP_FAILED = "Subprocess exited with error"
"""What the CDK CLI says when the app, not AWS, is what failed."""


@dataclass(frozen=True, slots=True)
class DestroyReport:
    """What was there before, as far as it can cost money, and what of it is still there."""

    asked: tuple[str, ...]
    left: tuple[str, ...]


def deploy(target: AwsTarget, clients: AwsClients, say: Say) -> dict[str, str]:
    """Brings the stack to what the config says and returns its outputs.

    An account and region that were never used with the CDK are prepared first.

    Raises:
        DeployError: who you are is not known, or the CDK or AWS refused.
    """
    account = load_account(clients)
    _bootstrap(target, clients, account, say)
    # Direct: an update needs no change set that somebody would look at, `mlapi diff` shows the same before.
    more = ["--require-approval", "never", "--method", "direct", "--progress", "events"]
    arguments = target.arguments("deploy", *more)
    run = call_cdk(target, arguments, say=say, on_line=lambda line: _say_event(line, say))
    if run.status:
        raise _explained(run, target, clients, f"deploying {target.stack} failed")
    return load_outputs(clients.client("cloudformation"), target.stack)


def diff(target: AwsTarget, clients: AwsClients, say: Say) -> tuple[str, bool]:
    """What a deploy would change, in the CDK CLI's own words, and whether it would change anything.

    Raises:
        DeployError: the CDK or AWS refused.
    """
    load_account(clients)
    run = call_cdk(target, target.arguments("diff", "--fail", "--no-change-set"), say=say)
    different = run.status == 1 and "Number of stacks with differences" in run.text
    if run.status and not different:
        raise build_cdk_error(f"comparing {target.stack} failed", run.text, [], target.log)
    return run.text, different


def destroy(target: AwsTarget, clients: AwsClients, say: Say) -> DestroyReport:
    """Deletes the stack and asks every service whether what it had is gone.

    Raises:
        DeployError: the CDK or AWS refused, or the services could not be asked afterwards.
    """
    load_account(clients)
    try:
        before = billed_resources(load_resources(clients.client("cloudformation"), target.stack))
        _destroy(target, clients, say)
        extra = _delete_what_no_template_names(clients, target.stack, before)
        left = [*find_leftovers(clients, before), *find_endpoints(clients, target.stack)]
    except (BotoCoreError, ClientError) as error:
        raise build_aws_error("it is not proven that nothing is left", error) from error
    return DestroyReport((*(describe(one) for one in before), *extra), tuple(dict.fromkeys(left)))


def _delete_what_no_template_names(
    clients: AwsClients, stack: str, before: Sequence[StackResource]
) -> list[str]:
    """The keys that `mlapi keys rotate` made, and SageMaker's own log groups, in words."""
    gateway, logs = clients.client("apigateway"), clients.client("logs")
    keys, groups = find_keys(gateway, stack), find_log_groups(clients, before)
    for key in keys:
        gateway.delete_api_key(apiKey=key["id"])
    for name in groups:
        logs.delete_log_group(logGroupName=name)
    return [*(f"key {key['id']}" for key in keys), *(f"log group {name}" for name in groups)]


def _destroy(target: AwsTarget, clients: AwsClients, say: Say) -> None:
    """With the CDK, or else by name: a config that broke meanwhile must not keep instances running."""
    what = f"destroying {target.stack} failed"
    arguments = target.arguments("destroy", "--force")
    run = call_cdk(target, arguments, say=say, on_line=lambda line: _say_event(line, say))
    if run.status and _APP_FAILED in run.text:
        say("The config cannot be deployed any more; deleting the stack by its name.")
        _delete_by_name(clients.client("cloudformation"), target, what)
    elif run.status:
        raise _explained(run, target, clients, what)


def _delete_by_name(cloudformation: Any, target: AwsTarget, what: str) -> None:
    cloudformation.delete_stack(StackName=target.stack)
    waiter = cloudformation.get_waiter("stack_delete_complete")
    try:
        waiter.wait(StackName=target.stack, WaiterConfig={"Delay": 5, "MaxAttempts": 720})
    except WaiterError as error:
        raise build_cdk_error(
            what, str(error), read_reasons(cloudformation, target.stack), target.log
        ) from error


def _bootstrap(target: AwsTarget, clients: AwsClients, account: str, say: Say) -> None:
    try:
        if load_bootstrap_version(clients) is not None:
            return
    except (BotoCoreError, ClientError):
        return  # whoever may not look there may still deploy; the CDK says so if not
    say(f"Preparing account {account} in {target.region} for the CDK (once): a bucket and roles, CDKToolkit")
    arguments = ["bootstrap", f"aws://{account}/{target.region}", "--no-notices"]
    # In a folder without cdk.json: beside one, the CDK would run the app first.
    run = call_cdk(target, arguments, say=say, folder=target.state)
    if run.status:
        reasons = read_reasons(clients.client("cloudformation"), "CDKToolkit")
        raise build_cdk_error("preparing the account for the CDK failed", run.text, reasons, target.log)


def _explained(run: CdkRun, target: AwsTarget, clients: AwsClients, what: str) -> DeployError:
    reasons = read_reasons(clients.client("cloudformation"), target.stack)
    return build_cdk_error(what, run.text, reasons, target.log)


def _say_event(line: str, say: Say) -> None:
    event = _EVENT.match(line)
    if event:
        say(f"  {event['status']:<28} {event['type']} {event['what'].strip()}")


def check_gone(report: DestroyReport, again: str = "mlapi destroy") -> None:
    """Makes sure that nothing is left; `again` is the command that tries once more.

    Raises:
        DeployError: something is, with its name.
    """
    if report.left:
        raise DeployError(
            "this is left and may cost money:\n  " + "\n  ".join(report.left),
            fix=f"delete it by hand, or run it again: {again}\n"
            "  read: docs/how-to/troubleshoot-aws.md#still-there",
        )
