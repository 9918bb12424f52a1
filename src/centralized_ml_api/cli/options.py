"""Arguments, options and their types that several verbs share, and how a next command repeats them."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

from centralized_ml_api.aws.settings import DEFAULT_STACK

if TYPE_CHECKING:
    from click.core import Context, Parameter

Verb = TypeVar("Verb", bound=Callable[..., Any])
Target = Literal["local", "aws"]

DEFAULT_CONFIG = Path("config/models.json")
DEFAULT_STATE = Path(".mlapi")

_TEN_YEARS_DAYS = 10 * 366
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhd])")


class Duration(click.ParamType[float]):
    """A length of time such as `90s`, `30m`, `48h` or `2d`, converted to seconds.

    Args:
        allow_zero: whether `0s` is accepted.
        longest_days: the longest duration accepted.
    """

    name = "duration"

    def __init__(self, *, allow_zero: bool = False, longest_days: int = _TEN_YEARS_DAYS) -> None:
        self._allow_zero = allow_zero
        self._longest_days = longest_days

    def convert(self, value: object, param: Parameter | None, ctx: Context | None) -> float:
        """Returns seconds.

        Raises:
            click.BadParameter: the value has another form, or is out of bounds.
        """
        found = _DURATION.fullmatch(str(value))
        if found is None or (float(found[1]) == 0 and not self._allow_zero):
            self.fail(f"{value!r} is not a duration: write 90s, 30m, 48h or 2d", param, ctx)
        seconds = float(found[1]) * _SECONDS[found[2]]
        if seconds > self._longest_days * _SECONDS["d"]:
            self.fail(f"{value!r} is more than {self._longest_days} days", param, ctx)
        return seconds


class RealRange(click.FloatRange):
    """A number within bounds; unlike `click.FloatRange` it refuses `nan`."""

    def convert(self, value: Any, param: Parameter | None, ctx: Context | None) -> float:
        """Returns the number.

        Raises:
            click.BadParameter: the value is not a number, or is out of bounds.
        """
        number: float = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is not a number", param, ctx)
        return number


config_argument = click.argument("config", type=click.Path(path_type=Path), default=DEFAULT_CONFIG)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
yes_option = click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
offline_option = click.option(
    "--offline", is_flag=True, help="Look models up on this machine only: lock file, cache, snapshot."
)
region_option = click.option(
    "--region", help="The AWS region. Default: that of your AWS settings, otherwise us-east-1."
)
stack_option = click.option(
    "--stack",
    default=DEFAULT_STACK,
    show_default=True,
    help="The name of the CloudFormation stack. Several can exist side by side.",
)


def _folder_option(text: str) -> Callable[[Verb], Verb]:
    return click.option(
        "--state",
        type=click.Path(path_type=Path, file_okay=False),
        default=DEFAULT_STATE,
        show_default=True,
        help=text,
    )


state_option = _folder_option("The state folder of the local target.")
log_folder_option = _folder_option("The folder for the output and the log of the CDK.")


def target_option(text: str, *, default: Target | None = "local") -> Callable[[Verb], Verb]:
    """Returns the decorator that adds `--target`; `text` is its help."""
    return click.option(
        "--target", type=click.Choice(["local", "aws"]), default=default, show_default=True, help=text
    )


def flag_unless_default(name: str, value: str, default: str) -> str:
    """Returns the flag for a next command, with a space before it; empty where the default says the same."""
    return "" if value == default else f" {name} {shlex.quote(value)}"


def aws_flags(region: str | None, stack: str) -> str:
    """Returns the flags that name the same stack, each with a space before it."""
    named = f" --region {shlex.quote(region)}" if region else ""
    return f"{named}{flag_unless_default('--stack', stack, DEFAULT_STACK)}"


def state_flag(state: Path) -> str:
    """Returns the flag that names the same state folder, with a space before it; empty for the default."""
    return flag_unless_default("--state", str(state), str(DEFAULT_STATE))


def config_unless_default(config: Path) -> str:
    """Returns the config as an argument, with a space before it; empty for the default."""
    return "" if config == DEFAULT_CONFIG else f" {shlex.quote(str(config))}"
