"""The address that a budget alarm is sent to: C405."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.checked_rule import CheckedRule
from centralized_ml_api.config.rule import Example
from centralized_ml_api.config.wording import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem

_ADDRESS = re.compile(r"[^@\s<>,;:]{1,64}@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z0-9-]{2,}")


def _check(context: Context) -> Iterator[Problem]:
    budget = context.event.object("budget") if context.event else None
    email = budget.string("email") if budget else None
    if email and not _ADDRESS.fullmatch(email.value):
        expected = 'one email address, such as "you@example.com"'
        yield MALFORMED_EMAIL.problem(email.location, found=quoted(email.value), expected=expected)


MALFORMED_EMAIL = CheckedRule(
    id="C405",
    title="malformed email address",
    meaning="""\
`email` is a single email address, without a display name: AWS sends the budget alarm to it.""",
    example=Example(
        at="$.event",
        wrong='"budget": {"usd": 500, "email": "you@example"}',
        right='"budget": {"usd": 500, "email": "you@example.com"}',
    ),
    check=_check,
)

RULES = (MALFORMED_EMAIL,)
