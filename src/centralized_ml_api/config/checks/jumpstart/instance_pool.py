"""C512: instance types that need different containers."""

from __future__ import annotations

from centralized_ml_api.config.rule import Example, Rule

RULE = Rule(
    id="C512",
    title="types that need different containers",
    meaning="""\
`instances` are tried in turn for one and the same model. JumpStart gives these types another image,
other artifacts or other variables, so one model cannot stand for all of them. Choose types of one
family.""",
    example=Example(
        at="$.models[0]",
        wrong='"instances": ["ml.g5.2xlarge", "ml.inf2.xlarge"]',
        right='"instances": ["ml.g5.2xlarge", "ml.g5.4xlarge"]',
    ),
)
