"""C403: an end that is no instant."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from centralized_ml_api.config.rule import Example, Rule
from centralized_ml_api.config.wording import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem

_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _check(context: Context) -> Iterator[Problem]:
    ends = context.event.text("ends") if context.event else None
    if ends and parse_instant(ends.value) is None:
        yield RULE.problem(
            ends.location,
            found=quoted(ends.value),
            expected='date, time and zone, such as "2030-06-01T18:00:00+02:00"',
            fix=_fix(ends.value),
        )


def parse_instant(written: str) -> datetime | None:
    """The instant of an RFC 3339 text, with its zone; None when it is none.

    Source: RFC 3339, section 5.6.
    """
    if not _INSTANT.fullmatch(written):
        return None
    try:
        return datetime.fromisoformat(written.upper())
    except ValueError:
        return None


def _fix(written: str) -> str:
    """How to complete a text that lacks its seconds, its zone or its time."""
    for end in ("Z", ":00Z", "T18:00:00Z"):
        if parse_instant(written.strip() + end):
            whole = written.strip().replace(" ", "T") + end
            return f"write {quoted(whole)} if the time is in UTC"
    return ""


RULE = Rule(
    id="C403",
    title="malformed instant",
    meaning="""\
`ends` is an instant in the form of RFC 3339: date, `T`, time with seconds, and the zone: `Z` for UTC, or
the difference to it, such as `+02:00`. Without a zone it would mean another instant on another machine.""",
    example=Example(
        at="$.event", wrong='"ends": "2030-06-01 18:00"', right='"ends": "2030-06-01T18:00:00+02:00"'
    ),
    check=_check,
)
