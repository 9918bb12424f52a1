"""From the CONFIG argument to a plan, for every verb that needs one."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from centralized_ml_api.cli import output
from centralized_ml_api.cli.shown_path import shown_path
from centralized_ml_api.config.load import load_config
from centralized_ml_api.config.render import count_problems
from centralized_ml_api.plan.build import build_plan

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from centralized_ml_api.errors import Problem
    from centralized_ml_api.plan.types import ApiPlan


def load_plan_and_warn(config: Path) -> ApiPlan:
    """The plan of the config; that it has warnings is said.

    Raises:
        ConfigError: the config has errors.
    """
    loaded = load_config(config, now=datetime.now(UTC))
    tell_warnings(loaded.warnings, config)
    return build_plan(loaded)


def tell_warnings(warnings: Sequence[Problem], config: Path) -> None:
    """How many there are, on one line, and how to read them."""
    if warnings:
        file = shown_path(config)
        output.talk(f"{file}: {count_problems(warnings)}, see: mlapi check {shlex.quote(file)}")
