"""C216: a text that is no resource."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from centralized_ml_api.config.rule import Example, Rule
from centralized_ml_api.config.wording import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem

_RESOURCE = re.compile(r"\*|arn:[a-z*-]+:[a-z0-9*-]+:[^:\s<>]*:[^:\s<>]*:[^\s<>]+")


def _check(context: Context) -> Iterator[Problem]:
    for properties in context.functions:
        scoped = properties.table("permissions")
        for resource in scoped.texts("resources") if scoped else []:
            if not _RESOURCE.fullmatch(resource.value):
                yield RULE.problem(
                    resource.location,
                    found=quoted(resource.value),
                    expected='an ARN such as "arn:aws:s3:::my-bucket/*", or "*"',
                    fix="copy the ARN from the console of the service",
                )


RULE = Rule(
    id="C216",
    title="malformed resource",
    meaning="""\
`resources` takes ARNs, in which `*` stands for any characters: `arn:aws:s3:::my-bucket/*` is every
object of a bucket. An address (`s3://…`) or a bare name is none, and placeholders must be filled in.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html""",
    example=Example(
        at="$.models[0].integration.properties",
        wrong='"permissions": {"actions": ["s3:GetObject"], "resources": ["s3://my-bucket"]}',
        right='"permissions": {"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::my-bucket/*"]}',
    ),
    check=_check,
)
