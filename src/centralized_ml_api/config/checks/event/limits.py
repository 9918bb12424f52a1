"""The request limits of an event and its teams: which of them need others."""

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
_AT_ONCE = "requests_at_once"


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


def _check_at_once_without_teams(context: Context) -> Iterator[Problem]:
    event = context.event
    at_once = event.member(_AT_ONCE) if event else None
    if at_once and not context.has_teams:
        yield AT_ONCE_WITHOUT_TEAMS.problem(
            at_once.key_location,
            found='"requests_at_once" without "teams"',
            expected='"teams" together with it',
            fix='add "teams": ["red", "blue"], or remove "requests_at_once"',
        )


AT_ONCE_WITHOUT_TEAMS = CheckedRule(
    id="C409",
    title="requests_at_once without teams",
    meaning="""\
`requests_at_once` is how many calls of one team may be in progress at the same time. Without teams, nobody
knows whose calls they are, so there is nothing to count. A team may have its own number; the event's is the
default for all teams.""",
    example=Example(
        at="$",
        wrong='"event": {"requests_at_once": 4}',
        right='"event": {"teams": ["red", "blue"], "requests_at_once": 4}',
    ),
    check=_check_at_once_without_teams,
)

RULES = (BURST_WITHOUT_RATE, BURST_BELOW_RATE, AT_ONCE_WITHOUT_TEAMS)
