"""C112: an instance type that would be tried twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.rule import Example, Rule
from centralized_ml_api.config.wording import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem


def _check(context: Context) -> Iterator[Problem]:
    for model in context.models:
        seen: set[str] = set()
        for one in model.texts("instances"):
            if one.value in seen:
                yield RULE.problem(
                    one.location,
                    found=f"{quoted(one.value)} again",
                    expected="each type once",
                    fix="remove it",
                )
            seen.add(one.value)


RULE = Rule(
    id="C112",
    title="duplicate instance type",
    meaning="""\
`instances` names the same type twice. The types are tried in order; one without capacity has none the
second time.""",
    example=Example(
        at="$.models[2]",
        wrong='"instances": ["ml.g5.2xlarge", "ml.g5.2xlarge"]',
        right='"instances": ["ml.g5.2xlarge", "ml.g5.4xlarge"]',
    ),
    check=_check,
)
