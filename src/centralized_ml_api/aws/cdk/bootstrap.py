"""Bootstraps an account and region for the CDK, once and only if the user agrees; finds one that exists.

Bootstrapping makes what every deploy of the CDK there uses. In a company the platform team has done it, often
under a qualifier of its own; then nothing here touches it.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from centralized_ml_api.aws.cdk.target import QUALIFIER_CONTEXT, call_cdk
from centralized_ml_api.aws.failures.explain import build_cdk_error
from centralized_ml_api.aws.stack.deployed_stack import load_failure_reasons, load_parameters
from centralized_ml_api.errors import DeployError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from centralized_ml_api.aws.cdk.target import AwsTarget
    from centralized_ml_api.aws.clients import AwsClients

DEFAULT_QUALIFIER = "hnb659fds"
"""Source: https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-customizing.html"""

BOOTSTRAP_VERSION = 6
"""The oldest that the CDK's default synthesizer accepts for stacks with file assets."""

TOOLKIT_STACK = "CDKToolkit"

PAGE = "docs/how-to/troubleshoot-aws.md#not-bootstrapped"

_QUALIFIER = re.compile(r"[A-Za-z0-9_-]{1,10}")
"""Source: the parameter `Qualifier` of the template that `cdk bootstrap --show-template` prints."""

_VERSION_PARAMETER = re.compile(rf"/cdk-bootstrap/(?P<qualifier>{_QUALIFIER.pattern})/version")
"""Where a bootstrap stores its version, in SSM.

Source: https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-env.html
"""


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """What an account and region have for the CDK.

    Attributes:
        qualifier: Of the bootstrap that a deploy uses.
        version: Of that bootstrap, None where there is none.
        others: The qualifiers of other bootstraps.
        toolkit_exists: Whether there is a stack `CDKToolkit`, finished or not.
    """

    qualifier: str
    version: int | None
    others: tuple[str, ...] = ()
    toolkit_exists: bool = False

    @property
    def is_foreign(self) -> bool:
        """Returns whether somebody else's bootstrap is there instead of the one that a deploy uses."""
        return self.version is None and bool(self.others or self.toolkit_exists)


def check_qualifier(said: str) -> str:
    """Returns the qualifier if it can be one.

    Raises:
        UsageError: It cannot.
    """
    if not _QUALIFIER.fullmatch(said):
        raise UsageError(
            f"{said!r} is not a qualifier of a bootstrap", fix="write up to 10 letters, digits, _ or -"
        )
    return said


def read_qualifier(project: Path, home: Path) -> str | None:
    """Returns the qualifier that the settings of the CDK name, None where none does.

    Args:
        project: The folder of `cdk.json` and `cdk.context.json`, which go before `.cdk.json`.
        home: The folder of `.cdk.json`.

    Raises:
        UsageError: It cannot be a qualifier.

    Source: https://docs.aws.amazon.com/cdk/v2/guide/context.html
    """
    files = (
        (project / "cdk.json", "context"),
        (project / "cdk.context.json", ""),
        (home / ".cdk.json", "context"),
    )
    for path, key in files:
        with suppress(OSError, ValueError, AttributeError):
            content = json.loads(path.read_text(encoding="utf-8"))
            said = (content.get(key, {}) if key else content).get(QUALIFIER_CONTEXT)
            if said:
                return check_qualifier(str(said))
    return None


def find_qualifier(target: AwsTarget, clients: AwsClients) -> AwsTarget:
    """Returns the target with the qualifier of its deployed stack, where nothing else names one."""
    if target.qualifier is not None:
        return target
    return replace(target, qualifier=load_deployed_qualifier(clients, target.stack))


def load_deployed_qualifier(clients: AwsClients, stack: str) -> str | None:
    """Returns the qualifier with which a stack was deployed, None where that cannot be known."""
    with suppress(BotoCoreError, ClientError):
        for value in (load_parameters(clients.client("cloudformation"), stack) or {}).values():
            found = _VERSION_PARAMETER.fullmatch(value)
            if found:
                return found["qualifier"]
    return None


def load_bootstrap(clients: AwsClients, qualifier: str | None) -> Bootstrap:
    """Returns what is there for the CDK; `qualifier` is None for the CDK's own.

    Raises:
        botocore.exceptions.ClientError: AWS refused to say.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    qualifier = qualifier or DEFAULT_QUALIFIER
    ssm = clients.client("ssm")
    try:
        answer = ssm.get_parameter(Name=f"/cdk-bootstrap/{qualifier}/version")
        return Bootstrap(qualifier, int(answer["Parameter"]["Value"]))
    except ClientError as error:
        if error.response["Error"]["Code"] != "ParameterNotFound":
            raise
    toolkit = load_parameters(clients.client("cloudformation"), TOOLKIT_STACK)
    others = {*_find_qualifiers(ssm), (toolkit or {}).get("Qualifier", "")}
    return Bootstrap(qualifier, None, tuple(sorted(others - {qualifier, ""})), toolkit is not None)


def _find_qualifiers(ssm: Any) -> Iterator[str]:
    """Yields the qualifiers of all bootstraps whose versions may be read."""
    with suppress(BotoCoreError, ClientError):
        pages = ssm.get_paginator("get_parameters_by_path").paginate(Path="/cdk-bootstrap/", Recursive=True)
        for parameter in (parameter for page in pages for parameter in page["Parameters"]):
            found = _VERSION_PARAMETER.fullmatch(parameter["Name"])
            if found:
                yield found["qualifier"]


def describe_foreign(bootstrap: Bootstrap, region: str) -> tuple[str, str]:
    """Returns what is there instead of the bootstrap that a deploy uses, and what to do. Pure."""
    if not bootstrap.others:
        state = f"{region} has a stack {TOOLKIT_STACK}, but no bootstrap with qualifier {bootstrap.qualifier}"
        ask = "ask whoever bootstrapped this account for its qualifier, and add --qualifier"
        return state, f"{ask}; if the stack is what a failed bootstrap of your own left, delete it"
    names = " and ".join(bootstrap.others)
    state = f"{region} is bootstrapped for the CDK with qualifier {names}, not {bootstrap.qualifier}"
    setting = json.dumps({"context": {QUALIFIER_CONTEXT: bootstrap.others[0]}})
    return state, f"add --qualifier {bootstrap.others[0]}, or set it for all commands in cdk.json: {setting}"


def describe_making(target: AwsTarget, account: str) -> str:
    """Returns what bootstrapping makes and what that allows. Pure.

    Source: the template that `cdk bootstrap --show-template` prints.
    """
    return (
        f"Account {account} is not bootstrapped for the CDK in {target.region}. Bootstrapping makes the stack"
        f" {TOOLKIT_STACK}, once for all CDK apps there: a bucket for uploads, a repository for images, and"
        " five roles. Who may assume its deploy role deploys with its role for CloudFormation, which has"
        " AdministratorAccess."
    )


def provide_bootstrap(
    target: AwsTarget,
    clients: AwsClients,
    account: str,
    *,
    say: Callable[[str], None],
    agree: Callable[[str], None],
) -> None:
    """Bootstraps the account for the target where nobody has, if the user agrees.

    Args:
        target: What is to be deployed.
        clients: Of its region.
        account: The number of the account.
        say: Shows progress.
        agree: Is told what would be made; returns if the user wants it, raises otherwise.

    Raises:
        DeployError: Somebody bootstrapped it in another way, or bootstrapping failed.
    """
    try:
        bootstrap = load_bootstrap(clients, target.qualifier)
    except (BotoCoreError, ClientError):
        return  # whoever may not look may still deploy; if not, the CDK says so
    if bootstrap.version is not None:
        return
    if bootstrap.is_foreign:
        state, fix = describe_foreign(bootstrap, target.region)
        raise DeployError(state, fix=f"{fix}\n  read: {PAGE}")
    agree(describe_making(target, account))
    say(f"Bootstrapping account {account} in {target.region} for the CDK (once): the stack {TOOLKIT_STACK}")
    more = ["--qualifier", bootstrap.qualifier] if bootstrap.qualifier != DEFAULT_QUALIFIER else []
    arguments = ["bootstrap", f"aws://{account}/{target.region}", "--no-notices", *more]
    # In a folder without cdk.json: beside one, the CDK would run the app first.
    run = call_cdk(target, arguments, say=say, folder=target.state)
    if run.status:
        reasons = load_failure_reasons(clients.client("cloudformation"), TOOLKIT_STACK)
        raise build_cdk_error("bootstrapping the account for the CDK failed", run.text, reasons, target.log)
