"""What a next command repeats of the present one, so that it is about the same API."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from centralized_ml_api.aws.settings import DEFAULT_STACK
from centralized_ml_api.cli.options import DEFAULT_CONFIG, DEFAULT_STATE

if TYPE_CHECKING:
    from pathlib import Path


def other_flag(name: str, value: str, default: str) -> str:
    """The flag for the next command, with a space before it; nothing where the default says the same."""
    return "" if value == default else f" {name} {shlex.quote(value)}"


def aws_flags(region: str | None, stack: str) -> str:
    """The flags that name the same stack, each with a space before it."""
    named = f" --region {shlex.quote(region)}" if region else ""
    return f"{named}{other_flag('--stack', stack, DEFAULT_STACK)}"


def state_flag(state: Path) -> str:
    """The flag that names the same state folder, with a space before it; nothing where it is the default."""
    return other_flag("--state", str(state), str(DEFAULT_STATE))


def other_config(config: Path) -> str:
    """The config as an argument, with a space before it; nothing where it is the default one."""
    return "" if config == DEFAULT_CONFIG else f" {shlex.quote(str(config))}"
