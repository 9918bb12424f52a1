"""C014: too small, too large, too few or too many."""

from __future__ import annotations

from centralized_ml_api.config.rule import Example, Rule

RULE = Rule(
    id="C014",
    title="out of range",
    meaning="""\
The number lies outside of what this key takes, or the array has too few or too many items. Where the
limit is AWS's own (a function's timeout and memory, the number of instance types), AWS would refuse the
deployment.""",
    example=Example(at="$.models[0].integration.properties", wrong='"memory": 64', right='"memory": 128'),
)
