"""C507: a container that is known to be unsafe."""

from __future__ import annotations

from centralized_ml_api.config.rule import Example, Rule

RULE = Rule(
    id="C507",
    title="vulnerable model",
    meaning="""\
JumpStart marks this version of the model as vulnerable: its container holds software with known security
holes. Choose a newer version or another model.""",
    example=Example(
        at="$.models[0]",
        wrong='"model_version": "1.0.0"',
        right='"model_version": "*"',
    ),
)
