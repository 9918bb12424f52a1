"""What of AWS's quotas a plan would exceed, before anything is synthesized. Pure, and takes milliseconds.

Counts are exact. The sizes of templates are estimates; the synthesized templates have the last word.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

from centralized_ml_api.api.http import CATALOGUE_PATH, HEALTH_PATH, OPENAPI_PATH, PAGE_PATH
from centralized_ml_api.api.openai import MODEL_PATH
from centralized_ml_api.aws.document.other_paths import ANY_PATH
from centralized_ml_api.aws.document.own_paths import list_openai_calls
from centralized_ml_api.aws.planning import template_amounts as amounts
from centralized_ml_api.aws.planning.limits import LIMITS, Exceeded
from centralized_ml_api.config.schema import EndpointEntry, ModelEntry
from centralized_ml_api.plan.aws.nested_stacks import STACK
from centralized_ml_api.plan.aws.template_size import PLACE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from centralized_ml_api.aws.planning.template_amounts import Amounts
    from centralized_ml_api.plan.aws.types import AwsPlan

Entry: TypeAlias = ModelEntry | EndpointEntry


MAIN_STACK = "main stack"
"""What is said to exceed a limit that nested stacks have too."""


def estimate_exceeded(plan: AwsPlan) -> tuple[Exceeded, ...]:
    """Returns every limit that the plan's templates would exceed, by the order of the table."""
    return tuple(
        Exceeded(limit, what, amount, estimated=limit.name in ESTIMATED)
        for limit in LIMITS
        if limit.name in OF_PLANS
        for what, amount in OF_PLANS[limit.name](plan)
        if amount > limit.most
    )


def find_places_that_fit(plan: AwsPlan) -> int:
    """Returns how many places for teams that join fit into the main stack: all of the plan, fewer or none."""
    places, main = len(plan.access.places), plan.sizes[None]
    missing = max(
        (main.resources - STACK.resources) / PLACE.resources,
        (main.characters - STACK.characters) / PLACE.characters,
    )
    return max(0, places - max(0, math.ceil(missing)))


def find_exceeded_by_entries(entries: Sequence[Entry]) -> tuple[Exceeded, ...]:
    """Returns every limit that an entry exceeds by what is written in it."""
    return tuple(
        Exceeded(limit, what, amount)
        for limit in LIMITS
        if limit.name in OF_ENTRIES
        for entry in entries
        for what, amount in OF_ENTRIES[limit.name](entry)
        if amount > limit.most
    )


def _template_bytes(plan: AwsPlan) -> Amounts:
    for group, size in plan.sizes.items():
        yield _stack(group), size.characters


def _stack_resources(plan: AwsPlan) -> Amounts:
    for group, size in plan.sizes.items():
        yield _stack(group), size.resources


def _stack(group: str | None) -> str:
    return f"nested stack {group}" if group else MAIN_STACK


def _role_policies(plan: AwsPlan) -> Amounts:
    yield "role of the API", 1 + len(plan.endpoint_policies) + len(plan.function_policies)
    yield "role of the streaming function", len(plan.stream.policies) + len(plan.stream.described)
    for role in plan.roles:
        yield f"role {role.id}", len(role.repositories) + len(role.locations)


def _api_resources(plan: AwsPlan) -> Amounts:
    openai = [call.partition(" ")[2] for call in list_openai_calls(plan.openai)]
    own = [PAGE_PATH, CATALOGUE_PATH, OPENAPI_PATH, HEALTH_PATH, ANY_PATH, *openai]
    own += [MODEL_PATH] if openai else []
    yield "API", amounts.count_resources([*own, *(f"/{route.name}" for route in plan.routes)])


def _environment(entry: Entry) -> Amounts:
    variables = entry.integration.properties.environment if entry.integration.properties else {}
    yield entry.name, sum(len(f"{key}{value}".encode()) for key, value in variables.items())


def _layers(entry: Entry) -> Amounts:
    yield entry.name, len(entry.integration.properties.layers) if entry.integration.properties else 0


def _variables(entry: Entry) -> Amounts:
    yield entry.name, len(entry.environment) if isinstance(entry, ModelEntry) else 0


def _values(entry: Entry) -> Amounts:
    if isinstance(entry, ModelEntry):
        for key, value in entry.environment.items():
            yield f"{entry.name}, {key}", len(value)


def _usage_plans(plan: AwsPlan) -> Amounts:
    yield "teams", len(plan.access.teams) + bool(plan.access.places)


def _keys(plan: AwsPlan) -> Amounts:
    yield "teams", len(plan.access.teams) + len(plan.access.places)


def _scaled(plan: AwsPlan) -> Amounts:
    yield "models with autoscaling", sum(model.autoscaling is not None for model in plan.models)


OF_PLANS: dict[str, Callable[[AwsPlan], Amounts]] = {
    "bytes of a template": _template_bytes,
    "resources of a stack": _stack_resources,
    "managed policies of a role": _role_policies,
    "resources of an API": _api_resources,
    "usage plans of an account": _usage_plans,
    "API keys of an account": _keys,
    "scalable targets for SageMaker": _scaled,
}
"""What yields how much a plan has of a limit, by the limit's name."""

OF_ENTRIES: dict[str, Callable[[Entry], Amounts]] = {
    "bytes of a function's environment": _environment,
    "layers of a function": _layers,
    "variables of a container": _variables,
    "characters of a container's variable": _values,
}
"""What yields how much an entry has of a limit. What is in neither table only the templates tell."""

ESTIMATED = ("bytes of a template", "resources of a stack")
