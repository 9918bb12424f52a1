"""C215: a function that may take longer than the API waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.rule import Example, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem

_API_WAITS_SECONDS = 29
_LONGEST_SECONDS = 900


def _check(context: Context) -> Iterator[Problem]:
    for properties in context.functions:
        timeout = properties.whole("timeout")
        if timeout and _API_WAITS_SECONDS < timeout.value <= _LONGEST_SECONDS:
            yield RULE.problem(
                timeout.location,
                found=f"{timeout.value} seconds",
                expected=f"at most {_API_WAITS_SECONDS}: the API answers 504 after that",
                fix=f"write {_API_WAITS_SECONDS}",
            )


RULE = Rule(
    id="C215",
    title="timeout longer than the API waits",
    severity="warning",
    meaning="""\
The API waits 29 seconds for an answer and then answers 504 itself. A function that may take longer goes
on working, and costing, for an answer that nobody gets.

Source:
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
(integration timeout)""",
    example=Example(at="$.models[0].integration.properties", wrong='"timeout": 60', right='"timeout": 29'),
    check=_check,
)
