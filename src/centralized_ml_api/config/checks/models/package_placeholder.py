"""C108: a part of the ARN is still to be filled in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from centralized_ml_api.config.rule import Example, Rule
from centralized_ml_api.config.wording import listed, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem

PLACEHOLDER = re.compile(r"<[^<>]*>|\$\{[^{}]*\}|\bYOUR_[A-Z_]+|\bX{3,}\b")
"""What documentation writes where the reader's own value belongs."""


def _check(context: Context) -> Iterator[Problem]:
    for model in context.models:
        arn = model.text("model_package_arn")
        placeholders = PLACEHOLDER.findall(arn.value) if arn else []
        if arn and placeholders:
            yield RULE.problem(
                arn.location,
                found=f"{listed(placeholders, 'and')} in {quoted(arn.value)}",
                expected="the ARN of your own subscription",
                fix="subscribe, then copy the ARN: AWS Marketplace > Manage subscriptions",
            )


RULE = Rule(
    id="C108",
    title="placeholder in an ARN",
    meaning="""\
The ARN still holds a placeholder such as `<ACCOUNT>`. Subscribe to the model in the AWS Marketplace,
choose the region, and copy the ARN that is shown there.""",
    example=Example(
        at="$.models[1]",
        wrong='"model_package_arn": "arn:aws:sagemaker:us-east-1:<ACCOUNT>:model-package/<MODEL_PACKAGE_ID>"',
        right='"model_package_arn": "arn:aws:sagemaker:us-east-1:123456789012:model-package/my-package"',
    ),
    check=_check,
)
