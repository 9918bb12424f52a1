"""C204: a header that passes anyway."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.rule import Example, Rule
from centralized_ml_api.config.wording import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem

ALWAYS_PASSED = frozenset({"content-type", "accept"})


def _check(context: Context) -> Iterator[Problem]:
    for integration in context.integrations:
        for header in integration.texts("headers"):
            if header.value.lower() in ALWAYS_PASSED:
                yield RULE.problem(
                    header.location,
                    found=quoted(header.value),
                    expected="headers besides Content-Type and Accept",
                    fix="remove it",
                )


RULE = Rule(
    id="C204",
    title="header that always passes",
    severity="warning",
    meaning="""\
`Content-Type` and `Accept` reach every model without being named. Naming them changes nothing.""",
    example=Example(at="$.models[1].integration", wrong='"headers": ["Accept"]', right='"headers": []'),
    check=_check,
)
