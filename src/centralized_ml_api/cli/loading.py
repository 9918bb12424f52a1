"""From the CONFIG argument to a plan, for every verb that needs one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from centralized_ml_api.cli import output
from centralized_ml_api.config.load import load_config
from centralized_ml_api.config.render import render_problems
from centralized_ml_api.plan.build import build_plan

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.plan.model import ApiPlan


def load_plan_and_warn(config: Path) -> ApiPlan:
    """The plan of the config; its warnings are shown.

    Raises:
        ConfigError: the config has errors.
    """
    loaded = load_config(config, now=datetime.now(UTC))
    if loaded.warnings:
        output.talk(render_problems(loaded.warnings, loaded.document.text))
    return build_plan(loaded)
