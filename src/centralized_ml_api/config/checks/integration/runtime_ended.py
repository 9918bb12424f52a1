"""C211: a runtime without security fixes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.integration.runtimes import ENDED, current_of, language_of
from centralized_ml_api.config.rule import Example, Rule
from centralized_ml_api.config.wording import listed, quoted, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem


def _check(context: Context) -> Iterator[Problem]:
    for properties in context.functions:
        runtime = properties.text("runtime")
        if runtime and runtime.value in ENDED:
            current = current_of(language_of(runtime.value))
            yield RULE.problem(
                runtime.location,
                found=f"{quoted(runtime.value)}, without security fixes since {ENDED[runtime.value]}",
                expected=f"a runtime that AWS supports: {listed(current)}",
                fix=write(current[min(1, len(current) - 1)]),
            )


RULE = Rule(
    id="C211",
    title="runtime at its end",
    severity="warning",
    meaning="""\
AWS no longer patches this Lambda runtime, but still lets one create functions with it, for some time.
Nothing breaks today; choose a supported one when you next touch the function.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html""",
    example=Example(
        at="$.models[0].integration.properties",
        wrong='"runtime": "python3.10"',
        right='"runtime": "python3.13"',
    ),
    check=_check,
)
