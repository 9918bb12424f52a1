"""Arguments and options that several verbs share, written once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypeVar

import click

from centralized_ml_api.aws.settings import DEFAULT_STACK

Verb = TypeVar("Verb", bound=Callable[..., Any])

DEFAULT_CONFIG = Path("config/models.json")
DEFAULT_STATE = Path(".mlapi")

config_argument = click.argument("config", type=click.Path(path_type=Path), default=DEFAULT_CONFIG)
state_option = click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    default=DEFAULT_STATE,
    show_default=True,
    help="The state folder of the local target.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")

yes_option = click.option("--yes", is_flag=True, help="Do not ask.")
region_option = click.option(
    "--region", help="The AWS region; without it, the one of your AWS settings, or else us-east-1."
)
stack_option = click.option(
    "--stack",
    default=DEFAULT_STACK,
    show_default=True,
    help="The name of the CloudFormation stack: several can live side by side.",
)
log_folder_option = click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    default=DEFAULT_STATE,
    show_default=True,
    help="The folder for the CDK's own output and log.",
)


def target_option(text: str, *, default: Literal["aws", "local"] = "local") -> Callable[[Verb], Verb]:
    """Which of the two targets a verb is about; `text` is the help."""
    return click.option(
        "--target", type=click.Choice(["local", "aws"]), default=default, show_default=True, help=text
    )
