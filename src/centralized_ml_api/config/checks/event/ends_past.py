"""C404: an event that is over."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.event.ends_form import parse_instant
from centralized_ml_api.config.rule import Example, Rule
from centralized_ml_api.config.wording import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem


def _check(context: Context) -> Iterator[Problem]:
    ends = context.event.text("ends") if context.event else None
    instant = parse_instant(ends.value) if ends else None
    if ends and instant and instant <= context.now:
        now = context.now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        yield RULE.problem(
            ends.location,
            found=f"{quoted(ends.value)}, which is over",
            expected=f"an instant after now, {now}",
            fix='mlapi extend 2h writes one that is two hours from now; or remove "ends"',
        )


RULE = Rule(
    id="C404",
    title="the end is past",
    meaning="""\
At `ends` the deployment removes itself. This instant is already past, so that whatever is deployed would
be removed at once. Check the year, and the zone.""",
    example=Example(
        at="$.event", wrong='"ends": "2020-06-01T18:00:00Z"', right='"ends": "2030-06-01T18:00:00Z"'
    ),
    check=_check,
)
