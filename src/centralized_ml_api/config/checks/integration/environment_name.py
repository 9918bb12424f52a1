"""C217: an environment variable that Lambda refuses or sets itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.context import present
from centralized_ml_api.config.rule import Example, Rule
from centralized_ml_api.config.wording import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]+")
_RESERVED = frozenset(
    {
        "_HANDLER", "_X_AMZN_TRACE_ID", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR", "ENDPOINT_NAME",
        "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
        "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_RUNTIME_API",
        "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
    }
)  # fmt: skip


def _check(context: Context) -> Iterator[Problem]:
    for environment in present(properties.table("environment") for properties in context.functions):
        for name in environment.value:
            if name in _RESERVED or not _NAME.fullmatch(name):
                set_by = "which is set for every function" if name in _RESERVED else "which Lambda refuses"
                yield RULE.problem(
                    context.document.key_location((*environment.path, name)),
                    found=f"{quoted(name)}, {set_by}",
                    expected="a name of your own: letters, digits, underscores; a letter first; at least two",
                    fix="rename it, or remove it",
                )


RULE = Rule(
    id="C217",
    title="name of an environment variable",
    meaning="""\
A function's environment variables have names of at least two letters, digits and underscores, beginning
with a letter. Those that Lambda sets itself (`AWS_REGION`, …) cannot be set, nor can `ENDPOINT_NAME`,
which always holds the name of the entry's endpoint.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html""",
    example=Example(
        at="$.models[0].integration.properties",
        wrong='"environment": {"ENDPOINT_NAME": "other"}',
        right='"environment": {"OTHER_ENDPOINT": "other"}',
    ),
    check=_check,
)
