"""C405: an address that no mail reaches."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from centralized_ml_api.config.rule import Example, Rule
from centralized_ml_api.config.wording import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem

_ADDRESS = re.compile(r"[^@\s<>,;:]{1,64}@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z0-9-]{2,}")


def _check(context: Context) -> Iterator[Problem]:
    budget = context.event.table("budget") if context.event else None
    email = budget.text("email") if budget else None
    if email and not _ADDRESS.fullmatch(email.value):
        yield RULE.problem(
            email.location, found=quoted(email.value), expected='one mail address, such as "you@example.com"'
        )


RULE = Rule(
    id="C405",
    title="malformed mail address",
    meaning="""\
`email` is one mail address, without a name around it: AWS sends the budget's alarm there.""",
    example=Example(
        at="$.event",
        wrong='"budget": {"usd": 500, "email": "you@example"}',
        right='"budget": {"usd": 500, "email": "you@example.com"}',
    ),
    check=_check,
)
