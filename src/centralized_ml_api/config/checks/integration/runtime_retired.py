"""C209: a runtime that AWS has given up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.integration.runtimes import RETIRED, current_of, language_of
from centralized_ml_api.config.rule import Example, Rule
from centralized_ml_api.config.wording import listed, quoted, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem


def _check(context: Context) -> Iterator[Problem]:
    for properties in context.functions:
        runtime = properties.text("runtime")
        if runtime and runtime.value in RETIRED:
            current = current_of(language_of(runtime.value))
            yield RULE.problem(
                runtime.location,
                found=quoted(runtime.value),
                expected=f"a runtime that AWS supports: {listed(current)}",
                fix=write(current[min(1, len(current) - 1)]),
            )


RULE = Rule(
    id="C209",
    title="retired runtime",
    meaning="""\
AWS has given this Lambda runtime up: it gets no security fixes, and new functions on it are refused or
about to be. Choose one that is supported; most functions for an older Python run on a newer one
unchanged.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html""",
    example=Example(
        at="$.models[0].integration.properties",
        wrong='"runtime": "python3.8"',
        right='"runtime": "python3.13"',
    ),
    check=_check,
)
