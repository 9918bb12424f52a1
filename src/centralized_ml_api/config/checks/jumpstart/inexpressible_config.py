"""C504: a configuration that CloudFormation cannot describe."""

from __future__ import annotations

from centralized_ml_api.config.rule import Example, Rule

RULE = Rule(
    id="C504",
    title="a configuration with a draft model",
    meaning="""\
The configuration speeds the model up with a second, small draft model beside it. SageMaker's API has a
place for the draft model's artifacts, CloudFormation has none. Without `inference_config` the best
configuration that needs no draft model is taken by itself.""",
    example=Example(
        at="$.models[0]",
        wrong='"inference_config": "lmi-optimized"',
        right='"model_version": "*"',
    ),
)
