"""C011: a key that must be there is not."""

from __future__ import annotations

from centralized_ml_api.config.rule import Example, Rule

RULE = Rule(
    id="C011",
    title="missing key",
    meaning="""\
The object lacks a key that it must have; the place shown is the object. `docs/reference/config.md` lists
the keys of every object, which of them are required, and what the others are when they are left out.""",
    example=Example(
        at="$.models[0]",
        wrong='"autoscaling": {"min_capacity": 1, "max_capacity": 2}',
        right='"autoscaling": {"min_capacity": 1, "max_capacity": 2, "invocations_per_instance": 5}',
    ),
)
