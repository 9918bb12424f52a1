"""The names of models and endpoints, which are paths of the API: their form, reserved ones, duplicates."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.checked_rule import CheckedRule
from centralized_ml_api.config.checks.context import repeated
from centralized_ml_api.config.document.document import json_path
from centralized_ml_api.config.rule import Example
from centralized_ml_api.config.wording import listed, quoted, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.config.document.node import Node
    from centralized_ml_api.errors import Problem

RESERVED = ("models", "v1", "openapi-json", "health")
"""Paths that the API serves itself."""

_LONGEST = 63
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")


def _names(context: Context) -> list[Node[str]]:
    return [name for entry in context.entries if (name := entry.string("name"))]


def _check_form(context: Context) -> Iterator[Problem]:
    for name in _names(context):
        fits = len(name.value) <= _LONGEST
        if not (fits and _NAME.fullmatch(name.value)):
            allowed = re.sub(r"[^a-z0-9]+", "-", name.value.lower())[:_LONGEST].strip("-")
            yield MALFORMED_NAME.problem(
                name.location,
                found=quoted(name.value) if fits else f"{len(name.value)} characters",
                expected=f"1 to {_LONGEST} lowercase letters, digits and hyphens; no hyphen at either end",
                fix=write(allowed),
            )


MALFORMED_NAME = CheckedRule(
    id="C101",
    title="malformed name",
    meaning="""\
The name is both the path of the API (`open-llama` is called at `/open-llama`) and the name of the
SageMaker endpoint. It consists of lowercase letters, digits and hyphens, begins and ends with a letter or
digit, and has at most 63 characters.

Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpoint.html (EndpointName)""",
    example=Example(at="$.models[0]", wrong='"name": "Open_LLaMA"', right='"name": "open-llama"'),
    check=_check_form,
)


def _check_reserved(context: Context) -> Iterator[Problem]:
    for name in _names(context):
        if name.value in RESERVED:
            yield RESERVED_NAME.problem(
                name.location,
                found=quoted(name.value),
                expected=f"a name other than {listed(RESERVED)}",
                fix=write(f"{name.value}-model"),
            )


RESERVED_NAME = CheckedRule(
    id="C103",
    title="reserved name",
    meaning="""\
The API itself answers at `/models`, `/v1`, `/openapi.json` and `/health`, so no model can use these
paths.""",
    example=Example(at="$.models[2]", wrong='"name": "health"', right='"name": "health-model"'),
    check=_check_reserved,
)


def _check_duplicates(context: Context) -> Iterator[Problem]:
    for name, earlier in repeated(_names(context)):
        where = f"{json_path(earlier.path)} on line {earlier.location.line}"
        yield DUPLICATE_NAME.problem(
            name.location,
            found=f"{quoted(name.value)}, as in {where}",
            expected="a name that no other model or endpoint has",
            fix="rename one of the two",
        )


DUPLICATE_NAME = CheckedRule(
    id="C104",
    title="duplicate name",
    meaning="""\
Two entries have the same name and so the same path. Names are unique across `models` and `endpoints`.""",
    example=Example(at="$.endpoints[0]", wrong='"name": "open-llama"', right='"name": "adopted"'),
    check=_check_duplicates,
)

_ENDPOINT_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_ENDPOINT_ARN = re.compile(
    rf"arn:aws[a-z-]*:sagemaker:[a-z0-9-]+:\d{{12}}:endpoint/(?P<name>{_ENDPOINT_NAME.pattern})"
)


def _check_endpoint_names(context: Context) -> Iterator[Problem]:
    for entry in context.entries:
        written = entry.string("endpoint_name")
        if entry.path[0] != "endpoints" or written is None or _ENDPOINT_NAME.fullmatch(written.value):
            continue
        arn = _ENDPOINT_ARN.fullmatch(written.value)
        own = f"{write(arn['name'])} if it is in the account and region of the deployment" if arn else ""
        yield OTHER_ENDPOINT_NAME.problem(
            written.location,
            found=quoted(written.value),
            expected=f"the name of an endpoint: 1 to {_LONGEST} letters, digits and hyphens",
            fix=f"{own}; one of another account needs a function that assumes a role there" if own else "",
        )


OTHER_ENDPOINT_NAME = CheckedRule(
    id="C120",
    title="not the name of an endpoint",
    meaning="""\
`endpoint_name` takes the name of an endpoint in the account and region of the deployment: up to 63 letters,
digits and hyphens, no hyphen at either end. It takes no ARN: API Gateway calls endpoints under a role of its
own account. An endpoint of another account can be called by a function that assumes a role there;
docs/how-to/company-account.md shows one.

Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpoint.html (EndpointName)""",
    example=Example(
        at="$.endpoints[0]",
        wrong='"endpoint_name": "arn:aws:sagemaker:us-east-1:123456789012:endpoint/My-Endpoint-2026"',
        right='"endpoint_name": "My-Endpoint-2026"',
    ),
    check=_check_endpoint_names,
)

RULES = (MALFORMED_NAME, RESERVED_NAME, DUPLICATE_NAME, OTHER_ENDPOINT_NAME)
