"""How much of a stack things take. Pure. The characters are measured, and rounded up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.plan.aws.groups import Weight

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from centralized_ml_api.plan.aws.model import ExecutionRolePlan, HostingPlan, ModelFunctionPlan
    from centralized_ml_api.plan.model import ApiPlan

_API = Weight(resources=10, characters=70_000)
"""The API, its deployment, stage, role and log group, the account's role for logs, the document's texts."""

_PATH = Weight(characters=4_800)
_POLICY = Weight(resources=1, characters=7_000)
_ROLE = Weight(resources=1, characters=1_500)
_MODEL = Weight(resources=3, characters=2_200)
_SCALING = Weight(resources=2, characters=1_200)
_FUNCTION = Weight(resources=3, characters=2_800)
_VARIABLE_CHARACTERS = 8


def fixed_weight(plan: ApiPlan, roles: Iterable[ExecutionRolePlan], api_policies: int) -> Weight:
    """What the main stack holds in any case: the API with its paths, and the roles."""
    total = _API + _times(len(plan.deployments), _PATH) + _times(api_policies, _POLICY)
    for role in roles:
        total += _ROLE + _times(len(role.repositories) + len(role.locations), _POLICY)
    return total


def entry_weights(
    plan: ApiPlan, models: Iterable[HostingPlan], functions: Iterable[ModelFunctionPlan]
) -> dict[str, Weight]:
    """What each entry takes, in config order; nothing, for one that only has a path."""
    weights = dict.fromkeys((one.name for one in plan.deployments), Weight())
    for model in models:
        scaling = _SCALING if model.autoscaling else Weight()
        weights[model.name] += _MODEL + scaling + _variables(model.container.environment)
    for function in functions:
        weights[function.name] += _FUNCTION + _variables(function.environment)
    return weights


def _times(count: int, weight: Weight) -> Weight:
    return Weight(count * weight.resources, count * weight.characters)


def _variables(environment: Mapping[str, str]) -> Weight:
    texts = (len(name) + len(value) + _VARIABLE_CHARACTERS for name, value in environment.items())
    return Weight(characters=sum(texts))
