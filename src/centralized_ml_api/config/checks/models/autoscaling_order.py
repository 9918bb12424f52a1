"""C113: the fewest instances are more than the most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.rule import Example, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem


def _check(context: Context) -> Iterator[Problem]:
    for model in context.models:
        block = model.table("autoscaling")
        fewest = block.whole("min_capacity") if block else None
        most = block.whole("max_capacity") if block else None
        if fewest and most and fewest.value > most.value:
            yield RULE.problem(
                fewest.location,
                found=f'"min_capacity" {fewest.value}, "max_capacity" {most.value}',
                expected=f'"min_capacity" of at most {most.value}',
                fix="exchange the two numbers, or change one",
            )


RULE = Rule(
    id="C113",
    title="min_capacity above max_capacity",
    meaning="""\
The fewest instances that run (`min_capacity`) cannot be more than the most (`max_capacity`). Equal
numbers are fine: then that many run, always.""",
    example=Example(
        at="$.models[0]",
        wrong='"autoscaling": {"min_capacity": 3, "max_capacity": 2, "invocations_per_instance": 5}',
        right='"autoscaling": {"min_capacity": 2, "max_capacity": 3, "invocations_per_instance": 5}',
    ),
    check=_check,
)
