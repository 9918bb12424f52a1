"""Models that sleep on AWS: what a copy reserves must be known where, and only where, there may be none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.checked_rule import CheckedRule
from centralized_ml_api.config.checks.context import given
from centralized_ml_api.config.checks.models.source import is_only_local
from centralized_ml_api.config.rule import Example

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem

ADD_RESOURCES = 'add "resources": {"memory_mb": 1024, "accelerators": 1} to "autoscaling"'
"""The fix of a model that may sleep and of whose copies nobody says what they reserve."""


def _check_unknown(context: Context) -> Iterator[Problem]:
    for model in context.models:
        scaling = model.object("autoscaling")
        fewest = scaling.integer("min_capacity") if scaling else None
        if not (scaling and fewest and fewest.value == 0) or is_only_local(model):
            continue
        if given(model, ("model_id",)) or given(scaling, ("resources",)):
            continue
        yield UNKNOWN_COPIES.problem(
            fewest.location, found='"min_capacity" 0 without "resources"', fix=ADD_RESOURCES
        )


UNKNOWN_COPIES = CheckedRule(
    id="C121",
    title="model that sleeps without the resources of a copy",
    meaning="""\
With a `min_capacity` of 0, SageMaker hosts the model as an inference component, and has to know what a copy
of it reserves of an instance: memory, and the GPUs without which it would get none. JumpStart says that of
its models; of your own image or package only you can.""",
    example=Example(
        at="$.models[2]",
        wrong='"autoscaling": {"min_capacity": 0, "max_capacity": 1, "invocations_per_instance": 5}',
        right='"autoscaling": {"min_capacity": 0, "max_capacity": 1, "invocations_per_instance": 5,'
        ' "resources": {"memory_mb": 1024, "accelerators": 1}}',
    ),
    check=_check_unknown,
)


def _check_idle(context: Context) -> Iterator[Problem]:
    for model in context.models:
        scaling = model.object("autoscaling")
        resources = scaling.object("resources") if scaling else None
        fewest = scaling.integer("min_capacity") if scaling else None
        if resources and fewest and fewest.value > 0:
            yield IDLE_COPIES.problem(
                resources.key_location,
                found=f'"resources" with a "min_capacity" of {fewest.value}',
                expected='"resources" only with a "min_capacity" of 0',
                fix='remove "resources", or set "min_capacity" to 0',
            )


IDLE_COPIES = CheckedRule(
    id="C122",
    title="resources of a copy for a model that never sleeps",
    meaning="""\
`autoscaling.resources` says what a copy of a model reserves where it may sleep, that is, with a
`min_capacity` of 0. Any other model has its instances to itself, and the key would do nothing.""",
    example=Example(
        at="$.models[0]",
        wrong='"autoscaling": {"min_capacity": 1, "max_capacity": 2, "invocations_per_instance": 5,'
        ' "resources": {"memory_mb": 1024}}',
        right='"autoscaling": {"min_capacity": 1, "max_capacity": 2, "invocations_per_instance": 5}',
    ),
    check=_check_idle,
)

RULES = (UNKNOWN_COPIES, IDLE_COPIES)
