"""C106: artifacts without the container that would read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.context import given
from centralized_ml_api.config.rule import Example, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem


def _check(context: Context) -> Iterator[Problem]:
    for model in context.models:
        data = model.member("model_data")
        if data and not given(model, ("image",)):
            yield RULE.problem(
                data.key_location,
                found='"model_data" without "image"',
                expected='"model_data" only beside "image"',
                fix='add "image", or remove "model_data": JumpStart models and packages bring their own',
            )


RULE = Rule(
    id="C106",
    title="model_data without image",
    meaning="""\
`model_data` is what SageMaker unpacks for a container of your own. JumpStart models and Marketplace
packages bring their artifacts with them; for those it would be ignored.""",
    example=Example(
        at="$.models[0]",
        wrong='"model_id": "huggingface-textgeneration-open-llama", "model_data": "s3://my-bucket/model.tar.gz"',
        right='"model_id": "huggingface-textgeneration-open-llama"',
    ),
    check=_check,
)
