"""C408: a team's name that cannot be one of a key."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.event.teams import team_names
from centralized_ml_api.config.rule import Example, Rule
from centralized_ml_api.config.wording import quoted, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._-]{0,62}[A-Za-z0-9])?")


def _check(context: Context) -> Iterator[Problem]:
    for name in team_names(context):
        if not _NAME.fullmatch(name.value):
            yield RULE.problem(
                name.location,
                found=quoted(name.value),
                expected="letters and digits, between them also spaces, dots, underscores, hyphens; 1 to 64",
                fix=write(re.sub(r"[^A-Za-z0-9 ._-]+", "-", name.value)[:64].strip(" ._-")),
            )


RULE = Rule(
    id="C408",
    title="badly formed team name",
    meaning="""\
A team's name stands in headers, in the log and in the name of the file that holds its key. So it
consists of letters, digits, spaces, dots, underscores and hyphens, begins and ends with a letter or
digit, and has at most 64 characters.""",
    example=Example(at="$.event", wrong='"teams": ["red/blue"]', right='"teams": ["red-blue"]'),
    check=_check,
)
