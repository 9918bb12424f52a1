"""C407: a burst that holds the rate down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.rule import Example, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem


def _check(context: Context) -> Iterator[Problem]:
    event = context.event
    for limits in [event, *context.teams] if event else []:
        burst = limits.whole("burst")
        rate = limits.number("requests_per_second") or (
            event.number("requests_per_second") if event else None
        )
        if burst and rate and burst.value < rate.value:
            yield RULE.problem(
                burst.location,
                found=f"a burst of {burst.value} at {rate.value:g} requests per second",
                expected="a burst of at least one second's requests",
                fix=f"write {-int(-rate.value // 1)} or more",
            )


RULE = Rule(
    id="C407",
    title="burst below the rate",
    severity="warning",
    meaning="""\
`burst` is the number of calls that may come at once. When it is smaller than the calls of one second,
callers are refused although they keep to the rate, because calls never come evenly.""",
    example=Example(
        at="$.event",
        wrong='"requests_per_second": 20, "burst": 10',
        right='"requests_per_second": 20, "burst": 40',
    ),
    check=_check,
)
