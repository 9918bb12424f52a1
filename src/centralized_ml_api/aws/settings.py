"""Reads what the CDK app is told by `-c key=value`, and by the environment as the CDK sets it. Pure."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from centralized_ml_api.catalog.own_region import DEFAULT_REGION
from centralized_ml_api.errors import UsageError
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DEFAULT_CONFIG = "config/models.json"
DEFAULT_STACK = "CentralizedMlApiStack"

_STACK = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")
"""Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-console-create-stack.html"""

_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-[0-9]+")
_SAID = {"true": True, "1": True, "false": False, "0": False}


@record
class Settings:
    """Which config becomes which stack, where. `account` is None where nothing names it.

    With `offline`, JumpStart models are looked up on this machine only.
    """

    config: Path
    region: str
    stack: str
    account: str | None
    offline: bool


def read_settings(context: Callable[[str], object], environment: Mapping[str, str]) -> Settings:
    """Reads the settings; those that nothing names have their defaults.

    Args:
        context: Returns the value of a key of the CDK's context, None where it has none.
        environment: `CDK_DEFAULT_REGION` and `CDK_DEFAULT_ACCOUNT` come from the CDK CLI, which reads them
            from the AWS profile; without it, `AWS_REGION` and `AWS_DEFAULT_REGION` apply.

    Raises:
        UsageError: A value is not valid.
    """
    return Settings(
        config=Path(_text(context("config")) or DEFAULT_CONFIG),
        region=_region(_text(context("region")), environment),
        stack=_matching(_STACK, _text(context("stack")) or DEFAULT_STACK, "stack", "My-Stack"),
        account=environment.get("CDK_DEFAULT_ACCOUNT") or None,
        offline=_offline(_text(context("offline"))),
    )


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _region(said: str, environment: Mapping[str, str]) -> str:
    names = ("CDK_DEFAULT_REGION", "AWS_REGION", "AWS_DEFAULT_REGION")
    found = said or next((environment[name] for name in names if environment.get(name)), DEFAULT_REGION)
    return _matching(_REGION, found, "region", "eu-west-1")


def _offline(said: str) -> bool:
    if said and said.lower() not in _SAID:
        raise UsageError(f"offline={said} is neither true nor false", fix="write: -c offline=true")
    return _SAID.get(said.lower(), False)


def _matching(pattern: re.Pattern[str], value: str, key: str, example: str) -> str:
    if not pattern.fullmatch(value):
        raise UsageError(f"{value!r} is not a {key}", fix=f"write, for example: -c {key}={example}")
    return value


def stack_flags(region: str | None, stack: str) -> tuple[str, ...]:
    """Returns the words that name the same stack in a command; none for what is the default. Pure."""
    where = ("--region", region) if region else ()
    return where if stack == DEFAULT_STACK else (*where, "--stack", stack)


def qualifier_flags(said: str | None) -> tuple[str, ...]:
    """Returns the words that name the same qualifier of a bootstrap in a command. Pure."""
    return ("--qualifier", said) if said else ()
