"""C010: a key that the format does not have."""

from __future__ import annotations

from centralized_ml_api.config.rule import Example, Rule

RULE = Rule(
    id="C010",
    title="unknown key",
    meaning="""\
The format has no such key at this place: it is misspelt, or stands one level too high or too low.
Unknown keys are errors because a misspelt one would otherwise be ignored without a word.""",
    example=Example(
        at="$.models[0]", wrong='"intance": "ml.g5.2xlarge"', right='"instance": "ml.g5.2xlarge"'
    ),
)
