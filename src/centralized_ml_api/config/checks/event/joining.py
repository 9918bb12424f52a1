"""The places for teams that join by a link: what they exclude."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.checked_rule import CheckedRule
from centralized_ml_api.config.rule import Example
from centralized_ml_api.config.wording import quoted, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem

JOIN_NAME = "join"


def _check_path(context: Context) -> Iterator[Problem]:
    if context.join is None:
        return
    for entry in context.entries:
        name = entry.string("name")
        if name and name.value == JOIN_NAME:
            yield PATH_OF_JOINING.problem(
                name.location,
                found=f"{quoted(name.value)}, the path at which teams join",
                expected="another name, because the event has `join`",
                fix=write(f"{JOIN_NAME}-model"),
            )


PATH_OF_JOINING = CheckedRule(
    id="C420",
    title="entry at the path of joining",
    meaning="""\
With `event.join`, teams join at `/join`. So no entry can have this name.""",
    example=Example(
        wrong="""\
{
  "endpoints": [{"name": "join", "integration": {"type": "api"}}],
  "event": {"join": {"teams": 40}}
}""",
        right="""\
{
  "endpoints": [{"name": "join-model", "integration": {"type": "api"}}],
  "event": {"join": {"teams": 40}}
}""",
    ),
    check=_check_path,
)

RULES = (PATH_OF_JOINING,)
