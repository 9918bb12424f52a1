"""C109: a text that is no ARN of a model package."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.models.package_placeholder import PLACEHOLDER
from centralized_ml_api.config.rule import Example, Rule
from centralized_ml_api.config.wording import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem

PACKAGE_ARN = re.compile(
    r"arn:aws[a-z-]*:sagemaker:(?P<region>[a-z0-9-]{9,16}):[0-9]{12}:model-package/[A-Za-z0-9][A-Za-z0-9-]{0,62}(/[0-9]{1,9})?"
)


def _check(context: Context) -> Iterator[Problem]:
    for model in context.models:
        arn = model.text("model_package_arn")
        if arn and not PLACEHOLDER.search(arn.value) and not PACKAGE_ARN.fullmatch(arn.value):
            yield RULE.problem(
                arn.location,
                found=quoted(arn.value),
                expected="arn:aws:sagemaker:<region>:<12 digits>:model-package/<name>",
                fix='use "model_id" for a JumpStart id'
                if ":" not in arn.value
                else "copy the whole ARN from the console",
            )


RULE = Rule(
    id="C109",
    title="malformed package ARN",
    meaning="""\
`model_package_arn` takes the ARN of a model package: partition, `sagemaker`, region, the account's
twelve digits, `model-package/` and the package's name.

Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ContainerDefinition.html
(ModelPackageName)""",
    example=Example(
        at="$.models[1]",
        wrong='"model_package_arn": "arn:aws:sagemaker:us-east-1:model-package/my-package"',
        right='"model_package_arn": "arn:aws:sagemaker:us-east-1:123456789012:model-package/my-package"',
    ),
    check=_check,
)
