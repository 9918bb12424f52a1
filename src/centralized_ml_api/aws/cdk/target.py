"""What the verbs of the AWS target work on, and how they call the CDK CLI for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from centralized_ml_api.aws.cdk.cdk_cli import build_app_command, provide_cdk, run_cdk
from centralized_ml_api.config.resolve import find_root

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from centralized_ml_api.aws.cdk.cdk_cli import CdkRun

LOG_NAME = "cdk.log"

QUALIFIER_CONTEXT = "@aws-cdk/core:bootstrapQualifier"
"""Source: https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-customizing.html"""


@dataclass(frozen=True, slots=True)
class AwsTarget:
    """One deployment: this config, as this stack, in this region. `state` is the CDK's folder.

    `qualifier` is that of the account's bootstrap for the CDK, None for the CDK's own.
    """

    config: Path
    stack: str
    region: str
    state: Path
    qualifier: str | None = None

    @property
    def project(self) -> Path:
        """Returns the folder of `cdk.json`, where the CDK CLI runs."""
        return find_root(self.config)

    @property
    def log(self) -> Path:
        """Returns the file with the output of all runs of the CDK CLI."""
        return self.state / LOG_NAME

    @property
    def assembly(self) -> Path:
        """Returns the folder for the templates and assets that the CDK writes."""
        return self.state.resolve() / "cdk.out"

    @property
    def context(self) -> dict[str, str]:
        """Returns what the app is told by `-c key=value` of the CDK CLI."""
        told = {"config": str(self.config.resolve()), "region": self.region, "stack": self.stack}
        return told if self.qualifier is None else {**told, QUALIFIER_CONTEXT: self.qualifier}

    def arguments(self, verb: str, *more: str) -> list[str]:
        """Returns the CDK CLI's command line for this deployment."""
        context = [part for key, value in self.context.items() for part in ("-c", f"{key}={value}")]
        return [
            verb,
            self.stack,
            "--app",
            self.app_command,
            *context,
            "--output",
            str(self.assembly),
            "--no-notices",
            *more,
        ]

    @property
    def app_command(self) -> str:
        """Returns the command of the CDK app: the project's own `app.py`, or else that of this package."""
        own = (self.project / "app.py").is_file()
        return build_app_command("app.py" if own else "-m centralized_ml_api.aws.app")


def call_cdk(
    target: AwsTarget,
    arguments: Sequence[str],
    *,
    say: Callable[[str], None],
    on_line: Callable[[str], None] = lambda _: None,
    folder: Path | None = None,
) -> CdkRun:
    """Runs the CDK CLI, which is installed first if it is missing; its output goes to the log.

    Args:
        target: The deployment that it runs for.
        arguments: Its command line.
        say: Shows that something is being downloaded.
        on_line: Called with every line of its output.
        folder: Where it runs; None for the project's folder.

    Raises:
        DeployError: There is no CDK CLI, and none could be installed.
    """
    cli = provide_cdk(target.project, target.state, say)
    region = {"AWS_REGION": target.region, "AWS_DEFAULT_REGION": target.region}
    return run_cdk(
        cli, arguments, folder=folder or target.project, log=target.log, environment=region, on_line=on_line
    )
