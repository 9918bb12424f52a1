"""What a config would exceed of AWS's quotas, for the verbs that say so before anything is synthesized."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.aws_limits import EXCEEDED
from centralized_ml_api.errors import DeployError
from centralized_ml_api.plan.aws.build import build_aws_plan
from centralized_ml_api.plan.build import build_plan
from centralized_ml_api.plan.types import LocalModel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from centralized_ml_api.catalog.facts import ModelFacts
    from centralized_ml_api.config.load import LoadedConfig
    from centralized_ml_api.errors import Problem


PLACES = ("event", "join", "teams")
"""Where a config has the number of places for teams that join."""


def find_limit_problems(
    loaded: LoadedConfig, facts: Mapping[str, ModelFacts], region: str
) -> tuple[Problem, ...]:
    """Returns a warning for each quota of AWS that the config would exceed, at its list of entries. Pure.

    Where fewer places for teams that join would do, it is at their number, and the fix says how many fit. A
    config with models that AWS cannot run exceeds none of its quotas.

    Args:
        loaded: A config without errors.
        facts: What JumpStart knows, by entry name; one for each JumpStart model.
        region: Of the deployment.
    """
    from centralized_ml_api.aws.planning.limit_estimates import (
        ESTIMATED,
        MAIN_STACK,
        estimate_exceeded,
        find_exceeded_by_entries,
        find_places_that_fit,
    )

    plan = build_plan(loaded)
    if any(isinstance(entry.origin, LocalModel) for entry in plan.deployments):
        return ()
    written = find_exceeded_by_entries(loaded.config.entries)
    document = loaded.document
    listed = next((key for key in ("models", "endpoints") if (key,) in document.keys), None)
    location = document.key_location((listed,) if listed else ())
    found = [(location, str(each), each.limit.fix) for each in written]
    try:
        planned = build_aws_plan(plan, facts, region=region)
    except DeployError as error:  # what teams may call has limits of its own
        found.append((location, error.message, error.fix))
    else:
        fitting = find_places_that_fit(planned)
        for each in estimate_exceeded(planned):
            if each.what == MAIN_STACK and each.limit.name in ESTIMATED and fitting:
                fix = f'at most {fitting} places fit: lower "teams", or {each.limit.fix}'
                found.append((document.key_location(PLACES), str(each), fix))
            else:
                found.append((location, str(each), each.limit.fix))
    return tuple(EXCEEDED.problem(where, found=what, fix=fix) for where, what, fix in found)
