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


def find_limit_problems(
    loaded: LoadedConfig, facts: Mapping[str, ModelFacts], region: str
) -> tuple[Problem, ...]:
    """Returns a warning for each quota of AWS that the config would exceed, at its list of entries. Pure.

    A config with models that AWS cannot run exceeds none of its quotas.

    Args:
        loaded: a config without errors.
        facts: what JumpStart knows, by entry name; one for each JumpStart model.
        region: of the deployment.
    """
    from centralized_ml_api.aws.limit_estimates import estimate_exceeded, find_exceeded_by_entries

    plan = build_plan(loaded)
    if any(isinstance(entry.origin, LocalModel) for entry in plan.deployments):
        return ()
    written = find_exceeded_by_entries(loaded.config.entries)
    document = loaded.document
    listed = next((key for key in ("models", "endpoints") if (key,) in document.keys), None)
    location = document.key_location((listed,) if listed else ())
    try:
        planned = estimate_exceeded(build_aws_plan(plan, facts, region=region))
        found = [(str(each), each.limit.fix) for each in (*written, *planned)]
    except DeployError as error:  # what teams may call has limits of its own
        found = [*((str(each), each.limit.fix) for each in written), (error.message, error.fix)]
    return tuple(EXCEEDED.problem(location, found=what, fix=fix) for what, fix in found)
