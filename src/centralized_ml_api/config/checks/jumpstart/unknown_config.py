"""C503: an inference configuration that the model does not have."""

from __future__ import annotations

from centralized_ml_api.config.rule import Example, Rule

RULE = Rule(
    id="C503",
    title="unknown inference configuration",
    meaning="""\
Newer JumpStart models come in several configurations, such as `lmi` and `lmi-optimized`: another image,
other variables, other instance types. Without `inference_config` the best in the publisher's ranking is
taken. Many models have none at all.""",
    example=Example(
        at="$.models[0]",
        wrong='"inference_config": "fastest"',
        right='"model_version": "*"',
    ),
)
