"""The next command is about the same API as the present one."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from centralized_ml_api.aws.settings import DEFAULT_STACK
from centralized_ml_api.cli.options import DEFAULT_CONFIG, aws_flags, config_unless_default


@pytest.mark.parametrize(
    ("region", "stack", "flags"),
    [
        (None, DEFAULT_STACK, ""),
        ("eu-west-1", DEFAULT_STACK, " --region eu-west-1"),
        (None, "Autumn", " --stack Autumn"),
        ("eu-west-1", "Autumn", " --region eu-west-1 --stack Autumn"),
    ],
)
def test_only_what_was_said_is_repeated(region: str | None, stack: str, flags: str) -> None:
    assert aws_flags(region, stack) == flags


def test_a_config_with_a_space_stays_one_argument() -> None:
    assert config_unless_default(DEFAULT_CONFIG) == ""
    assert shlex.split(config_unless_default(Path("my event.json"))) == ["my event.json"]
