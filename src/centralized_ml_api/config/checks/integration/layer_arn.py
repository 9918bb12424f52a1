"""C212: a text that is no ARN of a layer's version."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from centralized_ml_api.config.rule import Example, Rule
from centralized_ml_api.config.wording import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem

_LAYER = re.compile(
    r"arn:aws[a-z-]*:lambda:[a-z]{2,}(-[a-z]+)+-[0-9]:[0-9]{12}:layer:[A-Za-z0-9_-]{1,140}:[0-9]+"
)
_WITHOUT_VERSION = re.compile(r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:layer:[A-Za-z0-9_-]+")


def _check(context: Context) -> Iterator[Problem]:
    for properties in context.functions:
        for layer in properties.texts("layers"):
            if _LAYER.fullmatch(layer.value):
                continue
            bare = _WITHOUT_VERSION.fullmatch(layer.value)
            yield RULE.problem(
                layer.location,
                found=quoted(layer.value),
                expected="arn:aws:lambda:<region>:<12 digits>:layer:<name>:<version>",
                fix='add the version at the end, such as ":1"'
                if bare
                else "copy the ARN of the version from the console",
            )


RULE = Rule(
    id="C212",
    title="malformed layer ARN",
    meaning="""\
`layers` takes ARNs of layer versions: partition, `lambda`, region, the account's twelve digits, `layer`,
the layer's name and the number of its version.

Source: https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html (Layers)""",
    example=Example(
        at="$.models[0].integration.properties",
        wrong='"layers": ["arn:aws:lambda:us-east-1:123456789012:layer:my-layer"]',
        right='"layers": ["arn:aws:lambda:us-east-1:123456789012:layer:my-layer:3"]',
    ),
    check=_check,
)
