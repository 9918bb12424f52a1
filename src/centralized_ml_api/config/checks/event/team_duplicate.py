"""C401: two teams of one name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.event.teams import team_names
from centralized_ml_api.config.rule import Example, Rule
from centralized_ml_api.config.wording import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem


def _check(context: Context) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for name in team_names(context):
        plain = name.value.casefold()
        if plain in first:
            yield RULE.problem(
                name.location,
                found=f"{quoted(name.value)}, first on line {first[plain]}",
                expected="a name that no other team has",
                fix="rename or remove one of the two",
            )
        first.setdefault(plain, name.location.line)


RULE = Rule(
    id="C401",
    title="duplicate team",
    meaning="""\
Two teams have the same name; capital and small letters make no difference. Each team has a key of its
own, found by its name.""",
    example=Example(at="$.event", wrong='"teams": ["red", "Red"]', right='"teams": ["red", "blue"]'),
    check=_check,
)
