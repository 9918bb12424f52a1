"""What a running local target answered when it was asked to take a config anew."""

from __future__ import annotations

from typing import Any

from centralized_ml_api.errors import ConfigError, Location, Problem, StartError


def check_reloaded(changes: dict[str, Any]) -> None:
    """Returns when something came of it.

    Raises:
        ConfigError: the config has errors; everything goes on as before.
        StartError: the gateway refused.
    """
    if "error" in changes:
        raise StartError(changes["error"])
    if "problems" in changes:
        problems = [
            Problem(**{**problem, "location": Location(**problem["location"])})
            for problem in changes["problems"]
        ]
        raise ConfigError(problems, source=changes["source"])
