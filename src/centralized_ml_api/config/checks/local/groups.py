"""The groups of entries that share a place: C312."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.checked_rule import CheckedRule
from centralized_ml_api.config.rule import Example

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.config.document import Node
    from centralized_ml_api.errors import Problem


def _check(context: Context) -> Iterator[Problem]:
    groups: dict[str, list[Node[str]]] = defaultdict(list)
    for entry in context.entries:
        local = entry.object("local")
        shares = local.string("shares") if local else None
        if shares:
            groups[shares.value].append(shares)
    for word, members in groups.items():
        if len(members) == 1:
            (only,) = members
            yield GROUP_OF_ONE.problem(
                only.location,
                found=f'no other entry with "shares": "{word}"',
                expected="the word of at least two entries, of which one runs at a time",
                fix="give it to the others too, or remove it: by itself it does nothing",
            )


GROUP_OF_ONE = CheckedRule(
    id="C312",
    title="group of one entry",
    severity="warning",
    meaning="""\
Of the entries with the same word in `shares`, one runs at a time: the one that is called. An entry that is
alone with its word shares its place with nobody, so it runs all the time. Often the word is misspelt. An
entry that is to stop while nobody calls it needs `idle`.""",
    example=Example(
        at="$.models[0].local",
        wrong='"shares": "gpu"',
        right='"idle": "10m"',
    ),
    check=_check,
)

RULES = (GROUP_OF_ONE,)
