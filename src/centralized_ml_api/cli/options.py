"""Arguments, options and their types that several verbs share."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

from centralized_ml_api.aws.settings import DEFAULT_STACK
from centralized_ml_api.cli import output
from centralized_ml_api.commands import DEFAULT_CONFIG, DEFAULT_STATE, shown_path
from centralized_ml_api.config.durations import UNIT_SECONDS, parse_duration
from centralized_ml_api.errors import NotRunningError

if TYPE_CHECKING:
    from click.core import Context, Parameter

Verb = TypeVar("Verb", bound=Callable[..., Any])
Target = Literal["local", "aws"]

DEFAULT_PORT = 8080

_TEN_YEARS_DAYS = 10 * 366


class Duration(click.ParamType[float]):
    """A length of time such as `90s`, `30m`, `48h` or `2d`, converted to seconds.

    Args:
        allow_zero: Whether `0s` is accepted.
        longest_days: The longest duration accepted.
    """

    name = "duration"

    def __init__(self, *, allow_zero: bool = False, longest_days: int = _TEN_YEARS_DAYS) -> None:
        self._allow_zero = allow_zero
        self._longest_days = longest_days

    def convert(self, value: object, param: Parameter | None, ctx: Context | None) -> float:
        """Returns seconds.

        Raises:
            click.BadParameter: The value has another form, or is out of bounds.
        """
        try:
            seconds = parse_duration(str(value))
        except ValueError:
            seconds = -1.0
        if seconds < 0 or (seconds == 0 and not self._allow_zero):
            self.fail(f"{value!r} is not a duration: write 90s, 30m, 48h or 2d", param, ctx)
        if seconds > self._longest_days * UNIT_SECONDS["d"]:
            self.fail(f"{value!r} is more than {self._longest_days} days", param, ctx)
        return seconds


class RealRange(click.FloatRange):
    """A number within bounds; unlike `click.FloatRange` it refuses `nan`."""

    def convert(self, value: Any, param: Parameter | None, ctx: Context | None) -> float:
        """Returns the number.

        Raises:
            click.BadParameter: The value is not a number, or is out of bounds.
        """
        number: float = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is not a number", param, ctx)
        return number


def find_running(state: Path) -> Path | None:
    """Returns the config that runs here with a state folder; None where nothing does."""
    if not (state / "run.json").is_file():
        return None  # without importing what reads it
    from centralized_ml_api.local.machine.state_folder import StateFolder

    try:
        run = StateFolder(state).load_run()
    except NotRunningError:
        return None
    return Path(shown_path(Path(run.config)))


def find_config(state: Path) -> Path:
    """Returns the config that runs here with a state folder; the default where nothing does."""
    return find_running(state) or DEFAULT_CONFIG


def _default_config(context: Context, option: Parameter, config: Path | None) -> Path:
    """Returns CONFIG where it is given, otherwise what runs here; says so where that is not the default."""
    del option
    if config is not None:
        return config
    found = find_config(context.params.get("state", DEFAULT_STATE))
    if found != DEFAULT_CONFIG:
        output.talk(f"CONFIG is {found}, which runs here.")
    return found


config_argument = click.argument(
    "config", type=click.Path(path_type=Path), required=False, callback=_default_config
)
config_option = click.option(
    "--config",
    type=click.Path(path_type=Path),
    callback=_default_config,
    help="Read the models from this config. Default: the one that runs here, otherwise config/models.json.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
yes_option = click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
offline_option = click.option(
    "--offline", is_flag=True, help="Look models up on this machine only: lock file, cache, snapshot."
)
region_option = click.option(
    "--region", help="Use this AWS region. Default: that of your AWS settings, otherwise us-east-1."
)
stack_option = click.option(
    "--stack",
    default=DEFAULT_STACK,
    show_default=True,
    help="Use the CloudFormation stack of this name. Several can exist side by side.",
)
qualifier_option = click.option(
    "--qualifier",
    help="Use the account's bootstrap for the CDK with this qualifier. Default: that of cdk.json or of the"
    " deployed stack, otherwise the CDK's own.",
)


def _folder_option(text: str) -> Callable[[Verb], Verb]:
    return click.option(
        "--state",
        type=click.Path(path_type=Path, file_okay=False),
        default=DEFAULT_STATE,
        show_default=True,
        is_eager=True,  # without CONFIG, verbs take what runs with this folder
        help=text,
    )


state_option = _folder_option("Use this state folder for what runs on this machine.")
log_folder_option = _folder_option("Write the output and the log of the CDK to this folder.")


def target_option(text: str, *, default: Target | None = "local") -> Callable[[Verb], Verb]:
    """Returns the decorator that adds `--target`; `text` is its help."""
    return click.option(
        "--target", type=click.Choice(["local", "aws"]), default=default, show_default=True, help=text
    )
