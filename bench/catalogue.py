"""Which scenarios there are."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

from bench import scenarios

if TYPE_CHECKING:
    from bench.scenario import Scenario


def scenario_names() -> list[str]:
    """All that can be measured: the files and packages in `scenarios`, as `ORDER` has them."""
    found = {one.name for one in pkgutil.iter_modules(scenarios.__path__)}
    return [*(name for name in scenarios.ORDER if name in found), *sorted(found - set(scenarios.ORDER))]


def load_scenario(name: str) -> Scenario:
    """The `SCENARIO` of one of them."""
    scenario: Scenario = importlib.import_module(f"bench.scenarios.{name}").SCENARIO
    return scenario
