"""Finds the scenarios."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

from bench import scenarios

if TYPE_CHECKING:
    from bench.scenario import Scenario


def scenario_names() -> list[str]:
    """Returns the names of the files and packages in `scenarios`, in the order of `ORDER`."""
    found = {module.name for module in pkgutil.iter_modules(scenarios.__path__)}
    return [*(name for name in scenarios.ORDER if name in found), *sorted(found - set(scenarios.ORDER))]


def load_scenario(name: str) -> Scenario:
    """Returns the `SCENARIO` of that name."""
    scenario: Scenario = importlib.import_module(f"bench.scenarios.{name}").SCENARIO
    return scenario
