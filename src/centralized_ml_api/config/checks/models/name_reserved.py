"""C103: a name that the API needs for itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.rule import Example, Rule
from centralized_ml_api.config.wording import listed, quoted, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem

RESERVED = ("models", "v1", "openapi-json", "health")
"""Paths that the API serves itself."""


def _check(context: Context) -> Iterator[Problem]:
    for entry in context.entries:
        name = entry.text("name")
        if name and name.value in RESERVED:
            yield RULE.problem(
                name.location,
                found=quoted(name.value),
                expected=f"another name than {listed(RESERVED)}",
                fix=write(f"{name.value}-model"),
            )


RULE = Rule(
    id="C103",
    title="reserved name",
    meaning="""\
The API itself answers at `/models`, `/v1`, `/openapi.json` and `/health`, so that no model can have
these paths.""",
    example=Example(at="$.models[2]", wrong='"name": "health"', right='"name": "health-model"'),
    check=_check,
)
