"""C213: a text that is no IAM action."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.integration.permissions import actions_of, is_action
from centralized_ml_api.config.rule import Example, Rule
from centralized_ml_api.config.wording import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem


def _check(context: Context) -> Iterator[Problem]:
    for properties in context.functions:
        for action in actions_of(properties):
            if not is_action(action.value):
                yield RULE.problem(
                    action.location,
                    found=quoted(action.value),
                    expected='a service and an action, such as "s3:GetObject"',
                    fix=_fix(action.value),
                )


def _fix(action: str) -> str:
    if action.startswith("arn:"):
        return 'write {"actions": […], "resources": [the ARN]}'
    if re.fullmatch(r"[A-Za-z0-9]+", action):
        service = "sagemaker" if "endpoint" in action.lower() else "s3"
        return f'write the service before it, such as "{service}:{action}"'
    return ""


RULE = Rule(
    id="C213",
    title="malformed IAM action",
    meaning="""\
`permissions` lists IAM actions: the service's prefix, a colon, the action; `*` and `?` stand for any
characters. For certain resources only, write `{"actions": ["s3:GetObject"], "resources":
["arn:aws:s3:::my-bucket/*"]}`.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html""",
    example=Example(
        at="$.models[0].integration.properties",
        wrong='"permissions": ["InvokeEndpoint"]',
        right='"permissions": ["sagemaker:InvokeEndpoint"]',
    ),
    check=_check,
)
