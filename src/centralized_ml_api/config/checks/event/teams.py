"""The teams of an event: their names, and the models that they may call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.checked_rule import CheckedRule
from centralized_ml_api.config.checks.context import repeated
from centralized_ml_api.config.rule import Example
from centralized_ml_api.config.team_names import LONGEST_TEAM_NAME, is_team_name, suggest_team_name
from centralized_ml_api.config.wording import listed_names, nearest, quoted, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.config.document.node import Node
    from centralized_ml_api.errors import Problem


def _team_names(context: Context) -> list[Node[str]]:
    """Returns the names in file order: a team is a string, or an object with a `name`."""
    if context.event is None:
        return []
    named = [name for team in context.teams if (name := team.string("name"))]
    return sorted(
        [*context.event.strings("teams"), *named], key=lambda name: context.document.values[name.path]
    )


def _check_duplicates(context: Context) -> Iterator[Problem]:
    for name, earlier in repeated(_team_names(context), str.casefold):
        yield DUPLICATE_TEAM.problem(
            name.location,
            found=f"{quoted(name.value)}, first on line {earlier.location.line}",
            expected="a name that no other team has",
            fix="rename or remove one of the two",
        )


DUPLICATE_TEAM = CheckedRule(
    id="C401",
    title="duplicate team",
    meaning="""\
Two teams have the same name; upper and lower case do not count as a difference. Each team has its own
key, which is found by the team's name.""",
    example=Example(at="$.event", wrong='"teams": ["red", "Red"]', right='"teams": ["red", "blue"]'),
    check=_check_duplicates,
)


def _check_models(context: Context) -> Iterator[Problem]:
    names = context.entry_names
    known = set(names)
    for team in context.teams:
        for model in team.strings("models"):
            if model.value not in known:
                yield UNKNOWN_TEAM_MODEL.problem(
                    model.location,
                    found=quoted(model.value),
                    expected=f"the name of a model or endpoint: {listed_names(names)}",
                    fix=write(nearest(model.value, names)),
                )


UNKNOWN_TEAM_MODEL = CheckedRule(
    id="C402",
    title="team with an unknown model",
    meaning="""\
A team's `models` are names of entries in `models` and `endpoints` of the same file. No entry has this
name.""",
    example=Example(
        at="$.event",
        wrong='"teams": [{"name": "red", "models": ["open-lama"]}]',
        right='"teams": [{"name": "red", "models": ["open-llama"]}]',
    ),
    check=_check_models,
)


def _check_form(context: Context) -> Iterator[Problem]:
    for name in _team_names(context):
        if not is_team_name(name.value):
            yield MALFORMED_TEAM_NAME.problem(
                name.location,
                found=quoted(name.value),
                expected=f"1 to {LONGEST_TEAM_NAME} letters, digits, spaces, dots, underscores and hyphens; "
                "a letter or digit at both ends",
                fix=write(suggest_team_name(name.value)),
            )


MALFORMED_TEAM_NAME = CheckedRule(
    id="C408",
    title="malformed team name",
    meaning="""\
A team's name appears in headers, in the log and in the name of the file that holds its key. It consists
of letters, digits, spaces, dots, underscores and hyphens, begins and ends with a letter or digit, and has
at most 64 characters.""",
    example=Example(at="$.event", wrong='"teams": ["red/blue"]', right='"teams": ["red-blue"]'),
    check=_check_form,
)

RULES = (DUPLICATE_TEAM, UNKNOWN_TEAM_MODEL, MALFORMED_TEAM_NAME)
