"""C203: one header twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.rule import Example, Rule
from centralized_ml_api.config.wording import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem


def _check(context: Context) -> Iterator[Problem]:
    for integration in context.integrations:
        seen: dict[str, str] = {}
        for header in integration.texts("headers"):
            earlier = seen.get(header.value.lower())
            if earlier is not None:
                yield RULE.problem(
                    header.location,
                    found=f"{quoted(header.value)} after {quoted(earlier)}",
                    expected="each header once",
                    fix="remove it",
                )
            seen.setdefault(header.value.lower(), header.value)


RULE = Rule(
    id="C203",
    title="duplicate header",
    meaning="""\
`headers` names the same header twice. Capital and small letters make no difference in headers.""",
    example=Example(
        at="$.models[1].integration", wrong='"headers": ["X-Team", "x-team"]', right='"headers": ["X-Team"]'
    ),
    check=_check,
)
