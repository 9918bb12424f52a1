"""C506: a model that its publisher withdrew."""

from __future__ import annotations

from centralized_ml_api.config.rule import Example, Rule

RULE = Rule(
    id="C506",
    title="deprecated model",
    meaning="""\
The publisher marked this version of the model as deprecated: it may stop working, and nobody repairs it.
Choose another version or model. `mlapi models show ID --tolerate deprecated` shows what it would be.""",
    example=Example(
        at="$.models[0]",
        wrong='"model_version": "1.0.0"',
        right='"model_version": "*"',
    ),
)
