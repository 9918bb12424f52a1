"""Opens the target that the flags of a verb name: a stack on AWS, or what runs on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from centralized_ml_api.cli import output
from centralized_ml_api.errors import (
    ConfigError,
    Location,
    NotRunningError,
    Problem,
    StartError,
)
from centralized_ml_api.extras import check_installed

if TYPE_CHECKING:
    from centralized_ml_api.aws.cdk.target import AwsTarget
    from centralized_ml_api.aws.clients import AwsClients
    from centralized_ml_api.aws.organizer.acts import AwsActs
    from centralized_ml_api.local.run.control_client import ControlClient
    from centralized_ml_api.local.status import LocalStatus
    from centralized_ml_api.plan.aws.types import AwsPlan


def open_aws_target(
    config: Path, *, region: str | None, stack: str, state: Path, qualifier: str | None = None
) -> tuple[AwsTarget, AwsClients]:
    """Returns the deployment that the flags name, and clients of its region. Calls nothing yet.

    Args:
        config: The config to deploy.
        region: The AWS region; None for that of the AWS settings.
        stack: The name of the CloudFormation stack.
        state: The folder for the output and the log of the CDK.
        qualifier: Of the account's bootstrap for the CDK; None for what the CDK's settings name.

    Raises:
        NotInstalledError: The extra `aws` is not installed.
        DeployError: The profile does not exist.
        UsageError: The qualifier cannot be one.
    """
    check_installed("aws")
    from centralized_ml_api.aws.cdk.target import AwsTarget
    from centralized_ml_api.aws.clients import AwsClients

    clients = AwsClients(region)
    return AwsTarget(config, stack, clients.region, state, choose_qualifier(config, qualifier)), clients


def open_aws_acts(config: Path, *, region: str | None, stack: str, state: Path) -> AwsActs:
    """Returns what an organizer can do with a stack. Calls nothing yet.

    Args:
        config: The config with the limits of its teams.
        region: The AWS region; None for that of the AWS settings.
        stack: The name of the CloudFormation stack.
        state: The folder for the journal.

    Raises:
        NotInstalledError: The extra `aws` is not installed.
        DeployError: The profile does not exist.
    """
    target, clients = open_aws_target(config, region=region, stack=stack, state=state)
    from centralized_ml_api.aws.organizer.acts import AwsActs

    return AwsActs(target, clients)


def choose_qualifier(config: Path, said: str | None) -> str | None:
    """Returns the qualifier of the flag, otherwise of the CDK's settings; None where nothing names one.

    Raises:
        UsageError: It cannot be a qualifier.
    """
    from centralized_ml_api.aws.cdk.bootstrap import check_qualifier, read_qualifier
    from centralized_ml_api.config.resolve import find_root

    return read_qualifier(find_root(config), Path.home()) if said is None else check_qualifier(said)


def load_target_plan(target: AwsTarget) -> AwsPlan:
    """Returns the plan of the target's config as AWS and JumpStart allow it; prints warnings.

    Raises:
        ConfigError: The config has errors, by itself or by what JumpStart knows.
    """
    from centralized_ml_api.aws.planning.load import load_aws_plan
    from centralized_ml_api.aws.settings import Settings

    settings = Settings(target.config, target.region, target.stack, account=None, offline=False)
    return load_aws_plan(settings, output.talk)


def connect(state: Path) -> ControlClient:
    """Returns the client of the local target that runs with a state folder.

    Raises:
        NotRunningError: Nothing runs with it.
    """
    from centralized_ml_api.local.machine.state_folder import StateFolder
    from centralized_ml_api.local.run.control_client import ControlClient

    return ControlClient(StateFolder(state).load_run(), state)


def running_status(state: Path) -> LocalStatus:
    """Returns how the API that runs here is; it has an address.

    Raises:
        NotRunningError: Nothing runs here, or its gateway is starting.
    """
    status = connect(state).status()
    if not status.address:
        raise NotRunningError("the gateway is still starting", fix="try again in a moment")
    return status


def running_config(state: Path) -> Path:
    """Returns the config that is served here.

    Raises:
        NotRunningError: Nothing runs here.
    """
    from centralized_ml_api.local.machine.state_folder import StateFolder

    return Path(StateFolder(state).load_run().config)


def reload_config(client: ControlClient, config: Path | None) -> dict[str, Any]:
    """Applies a changed config to what runs here; None for the one it serves.

    Returns:
        What changed, as `describe_reload` takes it.

    Raises:
        ConfigError: The config has errors; nothing changed.
        StartError: The gateway refused; nothing changed.
    """
    changes = client.reload(config)
    if "error" in changes:
        raise StartError(changes["error"])
    if "problems" in changes:
        problems = [
            Problem(**{**problem, "location": Location(**problem["location"])})
            for problem in changes["problems"]
        ]
        raise ConfigError(problems, source=changes["source"])
    return changes
