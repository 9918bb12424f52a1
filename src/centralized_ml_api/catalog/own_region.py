"""Finds the region to use if the command line names none."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_REGION = "us-east-1"


def find_region(flag: str | None, environment: Mapping[str, str] = os.environ) -> str:
    """Returns the region of the flag, the environment or the AWS profile, or us-east-1.

    Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-region.html (the order); AWS_REGION goes
    first here as it does for the CDK and in Lambda.
    """
    named = flag or environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
    return named or _profile_region(environment) or DEFAULT_REGION


def _profile_region(environment: Mapping[str, str]) -> str | None:
    """Returns the region in the AWS configuration file; None if it cannot be read."""
    import configparser  # noqa: PLC0415  # where neither a flag nor a variable names the region

    file = Path(environment.get("AWS_CONFIG_FILE") or "~/.aws/config").expanduser()
    profile = environment.get("AWS_PROFILE", "default")
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read(file, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        return None
    section = "default" if profile == "default" else f"profile {profile}"
    return parser.get(section, "region", fallback=None)
