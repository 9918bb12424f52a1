"""What a function may do: the IAM actions that it lists, in either of the two forms, and their resources."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.checked_rule import CheckedRule
from centralized_ml_api.config.rule import Example
from centralized_ml_api.config.wording import listed, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem

_ACTION = re.compile(r"\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+")
"""A service, a colon, an action; or `*`, everything."""

_RESOURCE = re.compile(r"\*|arn:[a-z*-]+:[a-z0-9*-]+:[^:\s<>]*:[^:\s<>]*:[^\s<>]+")
_INVOKE_ENDPOINT = "sagemaker:invokeendpoint"
"""Limited to the entry's own endpoint when the role is built."""


def _check_actions(context: Context) -> Iterator[Problem]:
    for function in context.functions:
        scoped = function.object("permissions")
        for action in [*function.strings("permissions"), *(scoped.strings("actions") if scoped else [])]:
            if not _ACTION.fullmatch(action.value):
                yield MALFORMED_ACTION.problem(
                    action.location,
                    found=quoted(action.value),
                    expected='a service and an action, such as "s3:GetObject"',
                    fix=_action_fix(action.value),
                )


def _action_fix(action: str) -> str:
    if action.startswith("arn:"):
        return 'write {"actions": […], "resources": [the ARN]}'
    if re.fullmatch(r"[A-Za-z0-9]+", action):
        service = "sagemaker" if "endpoint" in action.lower() else "s3"
        return f'put the service before it, such as "{service}:{action}"'
    return ""


MALFORMED_ACTION = CheckedRule(
    id="C213",
    title="malformed IAM action",
    meaning="""\
`permissions` lists IAM actions: the prefix of the service, a colon and the action; `*` and `?` are
wildcards. To limit the actions to certain resources, write `{"actions": ["s3:GetObject"], "resources":
["arn:aws:s3:::my-bucket/*"]}`.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html""",
    example=Example(
        at="$.models[0].integration.properties",
        wrong='"permissions": ["InvokeEndpoint"]',
        right='"permissions": ["sagemaker:InvokeEndpoint"]',
    ),
    check=_check_actions,
)


def _check_broad(context: Context) -> Iterator[Problem]:
    for function in context.functions:
        broad = [
            action
            for action in function.strings("permissions")
            if _ACTION.fullmatch(action.value) and not action.value.lower().startswith(_INVOKE_ENDPOINT)
        ]
        if broad:
            yield BROAD_PERMISSION.problem(
                broad[0].location,
                found=f"{listed((quoted(action.value) for action in broad), 'and')} without resources",
                expected="the resources that the function needs",
                fix='write {"actions": […], "resources": ["arn:…"]}, unless it may act on all of them',
            )


BROAD_PERMISSION = CheckedRule(
    id="C214",
    title="permission on every resource",
    severity="warning",
    meaning="""\
An action without resources is allowed on every resource (`*`), as in the original format: a function that
should read one bucket can then read every bucket of the account. `sagemaker:InvokeEndpoint*` is the
exception: it is limited to the entry's own endpoint.""",
    example=Example(
        at="$.models[0].integration.properties",
        wrong='"permissions": ["s3:GetObject"]',
        right='"permissions": {"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::my-bucket/*"]}',
    ),
    check=_check_broad,
)


def _check_resources(context: Context) -> Iterator[Problem]:
    for function in context.functions:
        scoped = function.object("permissions")
        for resource in scoped.strings("resources") if scoped else []:
            if not _RESOURCE.fullmatch(resource.value):
                yield MALFORMED_RESOURCE.problem(
                    resource.location,
                    found=quoted(resource.value),
                    expected='an ARN such as "arn:aws:s3:::my-bucket/*", or "*"',
                    fix="copy the ARN from the console of the service",
                )


MALFORMED_RESOURCE = CheckedRule(
    id="C216",
    title="malformed resource",
    meaning="""\
`resources` takes ARNs, in which `*` matches any characters: `arn:aws:s3:::my-bucket/*` is every object in
a bucket. A URL (`s3://…`) or a bare name is not an ARN, and placeholders must be filled in.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html""",
    example=Example(
        at="$.models[0].integration.properties",
        wrong='"permissions": {"actions": ["s3:GetObject"], "resources": ["s3://my-bucket"]}',
        right='"permissions": {"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::my-bucket/*"]}',
    ),
    check=_check_resources,
)

RULES = (MALFORMED_ACTION, BROAD_PERMISSION, MALFORMED_RESOURCE)
