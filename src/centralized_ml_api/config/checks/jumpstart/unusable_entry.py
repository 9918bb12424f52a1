"""C510: an entry of the catalogue that cannot be used."""

from __future__ import annotations

from centralized_ml_api.config.rule import Example, Rule

RULE = Rule(
    id="C510",
    title="unusable JumpStart entry",
    meaning="""\
JumpStart's own entry of this model lacks something that a deployment needs, or is not in the form of its
catalogue. That is the publisher's mistake, or a damaged mirror. Another version may be whole.""",
    example=Example(
        at="$.models[0]",
        wrong='"model_version": "1.0.0"',
        right='"model_version": "*"',
    ),
)
