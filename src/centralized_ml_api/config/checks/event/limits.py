"""The request limits of an event and its teams: how a burst and a rate go together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.checked_rule import CheckedRule
from centralized_ml_api.config.checks.context import given
from centralized_ml_api.config.rule import Example

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem

_RATE = "requests_per_second"


def _check_burst_alone(context: Context) -> Iterator[Problem]:
    event = context.event
    if event is None or given(event, (_RATE,)):
        return
    for limits in [event, *context.teams]:
        burst = limits.member("burst")
        if burst and not given(limits, (_RATE,)):
            yield BURST_WITHOUT_RATE.problem(
                burst.key_location,
                found='"burst" without "requests_per_second"',
                expected='"requests_per_second" together with it',
                fix='add "requests_per_second": 10, or remove "burst"',
            )


BURST_WITHOUT_RATE = CheckedRule(
    id="C406",
    title="burst without a rate",
    meaning="""\
`requests_per_second` is the rate over time; `burst` is how many calls may arrive at once before the rate
applies. A burst means nothing without a rate. A team without a rate of its own has the event's.""",
    example=Example(
        at="$",
        wrong='"event": {"burst": 20}',
        right='"event": {"requests_per_second": 10, "burst": 20}',
    ),
    check=_check_burst_alone,
)


def _check_small_burst(context: Context) -> Iterator[Problem]:
    event = context.event
    if event is None:
        return
    for limits in [event, *context.teams]:
        burst = limits.integer("burst")
        rate = limits.number(_RATE) or event.number(_RATE)
        if burst and rate and burst.value < rate.value:
            yield BURST_BELOW_RATE.problem(
                burst.location,
                found=f"a burst of {burst.value} at {rate.value:g} requests per second",
                expected="a burst of at least one second's requests",
                fix=f"write {math.ceil(rate.value)} or more",
            )


BURST_BELOW_RATE = CheckedRule(
    id="C407",
    title="burst below the rate",
    severity="warning",
    meaning="""\
`burst` is the number of calls that may arrive at once. If it is smaller than the number of calls per
second, some callers who keep to the rate are refused, because calls never arrive evenly.""",
    example=Example(
        at="$.event",
        wrong='"requests_per_second": 20, "burst": 10',
        right='"requests_per_second": 20, "burst": 40',
    ),
    check=_check_small_burst,
)

RULES = (BURST_WITHOUT_RATE, BURST_BELOW_RATE)
