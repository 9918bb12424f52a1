"""C509: weights and code that come separately."""

from __future__ import annotations

from centralized_ml_api.config.rule import Example, Rule

RULE = Rule(
    id="C509",
    title="a model without its code",
    meaning="""\
Older JumpStart models keep the code that serves them apart from the weights. The SageMaker SDK downloads
both, packs them together and uploads the result into a bucket of yours. That is not done here: choose a
newer version or another model, or pack it yourself and use `image` with `model_data`.""",
    example=Example(
        at="$.models[0]",
        wrong='"model_version": "1.0.0"',
        right='"model_version": "*"',
    ),
)
