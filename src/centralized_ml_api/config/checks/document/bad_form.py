"""C015: a text that does not look as it must."""

from __future__ import annotations

from centralized_ml_api.config.rule import Example, Rule

RULE = Rule(
    id="C015",
    title="malformed text",
    meaning="""\
The text does not have the form that this key takes, for instance an S3 address that does not begin with
`s3://`, or an empty text where a name must stand.""",
    example=Example(
        at="$.models[1]",
        wrong='"local": {"engine": "sagemaker", "region": "Ireland"}',
        right='"local": {"engine": "sagemaker", "region": "eu-west-1"}',
    ),
)
