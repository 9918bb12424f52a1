"""C402: a team that may call a model which does not exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.rule import Example, Rule
from centralized_ml_api.config.wording import listed, nearest, quoted, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem

_MOST_LISTED = 12


def _check(context: Context) -> Iterator[Problem]:
    names = [name.value for entry in context.entries if (name := entry.text("name"))]
    known, expected = set(names), f"the name of a model or endpoint: {_enumerated(names)}"
    for team in context.teams:
        for model in team.texts("models"):
            if model.value not in known:
                yield RULE.problem(
                    model.location,
                    found=quoted(model.value),
                    expected=expected,
                    fix=write(nearest(model.value, names)),
                )


def _enumerated(names: list[str]) -> str:
    more = ["…"] if len(names) > _MOST_LISTED else []
    return listed([*names[:_MOST_LISTED], *more]) if names else "there are none"


RULE = Rule(
    id="C402",
    title="unknown model of a team",
    meaning="""\
A team's `models` are names of entries in `models` and `endpoints` of this file; this one is none of
them.""",
    example=Example(
        at="$.event",
        wrong='"teams": [{"name": "red", "models": ["open-lama"]}]',
        right='"teams": [{"name": "red", "models": ["open-llama"]}]',
    ),
    check=_check,
)
