"""C406: a burst above no rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.context import given
from centralized_ml_api.config.rule import Example, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem

_RATE = ("requests_per_second",)


def _check(context: Context) -> Iterator[Problem]:
    event = context.event
    if event is None or given(event, _RATE):
        return
    for limits in [event, *context.teams]:
        burst = limits.member("burst")
        if burst and not given(limits, _RATE):
            yield RULE.problem(
                burst.key_location,
                found='"burst" without "requests_per_second"',
                expected='"requests_per_second" beside it',
                fix='add "requests_per_second": 10, or remove "burst"',
            )


RULE = Rule(
    id="C406",
    title="burst without a rate",
    meaning="""\
`requests_per_second` is the rate over time, `burst` how many calls may come at once before it applies. A
burst means nothing without a rate; a team without one of its own has the event's.""",
    example=Example(
        at="$",
        wrong='"event": {"burst": 20}',
        right='"event": {"requests_per_second": 10, "burst": 20}',
    ),
    check=_check,
)
