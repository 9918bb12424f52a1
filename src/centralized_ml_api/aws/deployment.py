"""Deploying, comparing and destroying one stack through the CDK CLI."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from centralized_ml_api.aws.account import load_account, load_bootstrap_version
from centralized_ml_api.aws.cdk_failure import build_aws_error, build_cdk_error
from centralized_ml_api.aws.deployed import load_outputs, load_resources
from centralized_ml_api.aws.leftovers import billed_resources, describe, find_endpoints, find_leftovers
from centralized_ml_api.aws.stack_events import read_reasons
from centralized_ml_api.aws.target import call_cdk
from centralized_ml_api.errors import DeployError

if TYPE_CHECKING:
    from collections.abc import Callable

    from centralized_ml_api.aws.cdk_cli import CdkRun
    from centralized_ml_api.aws.clients import AwsClients
    from centralized_ml_api.aws.target import AwsTarget

    Say = Callable[[str], None]

_EVENT = re.compile(r"^\S+ +\| +[\d/ ]+\| [^|]+\| (?P<status>[A-Z_]+) +\| (?P<type>[\w:]+) +\| (?P<what>.*)$")
"""How the CDK CLI prints one event of a stack: `Stack | 1/9 | 3:44:05 PM | STATUS | Type | Resource (Id)`."""


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
    _run(target, clients, target.arguments("deploy", *more), f"deploying {target.stack} failed", say)
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
        arguments = target.arguments("destroy", "--force")
        _run(target, clients, arguments, f"destroying {target.stack} failed", say)
        left = [*find_leftovers(clients, before), *find_endpoints(clients, target.stack)]
    except (BotoCoreError, ClientError) as error:
        raise build_aws_error("it is not proven that nothing is left", error) from error
    return DestroyReport(tuple(describe(one) for one in before), tuple(dict.fromkeys(left)))


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


def _run(target: AwsTarget, clients: AwsClients, arguments: list[str], what: str, say: Say) -> CdkRun:
    run = call_cdk(target, arguments, say=say, on_line=lambda line: _say_event(line, say))
    if run.status:
        reasons = read_reasons(clients.client("cloudformation"), target.stack)
        raise build_cdk_error(what, run.text, reasons, target.log)
    return run


def _say_event(line: str, say: Say) -> None:
    event = _EVENT.match(line)
    if event:
        say(f"  {event['status']:<28} {event['type']} {event['what'].strip()}")


def check_gone(report: DestroyReport) -> None:
    """Makes sure that nothing is left.

    Raises:
        DeployError: something is, with its name.
    """
    if report.left:
        raise DeployError(
            "this is left and may cost money:\n  " + "\n  ".join(report.left),
            fix="delete it by hand, or run mlapi destroy again\n"
            "  read: docs/how-to/troubleshoot-aws.md#still-there",
        )
