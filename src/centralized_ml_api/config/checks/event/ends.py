"""The instant at which an event ends: its form, and whether it is still to come."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from centralized_ml_api.commands import command
from centralized_ml_api.config.checks.checked_rule import CheckedRule
from centralized_ml_api.config.rule import Example
from centralized_ml_api.config.wording import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.config.document.node import Node
    from centralized_ml_api.errors import Problem

_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def parse_instant(written: str) -> datetime | None:
    """Returns the instant that an RFC 3339 timestamp names, with its zone; None for any other text.

    None too for one that is in none of the years 1 to 9999 in UTC.

    Source: RFC 3339, section 5.6.
    """
    if not _INSTANT.fullmatch(written):
        return None
    try:
        instant = datetime.fromisoformat(written.upper())
        instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return instant


def _ends(context: Context) -> Node[str] | None:
    return context.event.string("ends") if context.event else None


def _check_form(context: Context) -> Iterator[Problem]:
    event, join = context.event, context.join
    hours = event.objects("hours") if event else []
    parts = [(event, "starts"), (event, "ends"), (join, "until")]
    parts += [(window, name) for window in hours for name in ("from", "to")]
    for part, name in parts:
        written = part.string(name) if part else None
        if written and parse_instant(written.value) is None:
            yield MALFORMED_INSTANT.problem(
                written.location,
                found=quoted(written.value),
                expected='date, time and zone, such as "2030-06-01T18:00:00+02:00"',
                fix=_completed(written.value),
            )


def _completed(written: str) -> str:
    """Advises how to complete a timestamp that lacks its seconds, its zone or its time."""
    for end in ("Z", ":00Z", "T18:00:00Z"):
        if parse_instant(written.strip() + end):
            whole = written.strip().replace(" ", "T") + end
            return f"write {quoted(whole)} if the time is in UTC"
    return ""


MALFORMED_INSTANT = CheckedRule(
    id="C403",
    title="malformed timestamp",
    meaning="""\
`starts`, `ends`, `join.until` and the times of `hours` are timestamps in the form of RFC 3339: the date, `T`,
the time with seconds, and the zone, which is `Z` for UTC or an offset such as `+02:00`. Without a zone, the
same text would mean different instants on different machines.""",
    example=Example(
        at="$.event", wrong='"ends": "2030-06-01 18:00"', right='"ends": "2030-06-01T18:00:00+02:00"'
    ),
    check=_check_form,
)


def _check_past(context: Context) -> Iterator[Problem]:
    ends = _ends(context)
    instant = parse_instant(ends.value) if ends else None
    if ends and instant and instant <= context.now:
        now = context.now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        later = command("extend", "2h", Path(ends.location.file))
        yield PAST_END.problem(
            ends.location,
            found=f"{quoted(ends.value)}, which is in the past",
            expected=f"a time later than now, {now}",
            fix=f'remove "ends", or end two hours from now: {later}',
        )


PAST_END = CheckedRule(
    id="C404",
    title="end in the past",
    meaning="""\
At `ends` the deployment removes itself. This time is already past, so everything that is deployed would
be removed at once. Check the year and the zone.""",
    example=Example(
        at="$.event", wrong='"ends": "2020-06-01T18:00:00Z"', right='"ends": "2030-06-01T18:00:00Z"'
    ),
    check=_check_past,
)

RULES = (MALFORMED_INSTANT, PAST_END)
