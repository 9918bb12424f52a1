"""The hours of an event: in their order, still to come, and not without a model that may sleep."""

from __future__ import annotations

import itertools
from datetime import UTC
from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.checked_rule import CheckedRule
from centralized_ml_api.config.checks.event.ends import parse_instant
from centralized_ml_api.config.rule import Example
from centralized_ml_api.config.wording import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context, ObjectNode
    from centralized_ml_api.errors import Problem

_LOCAL_KEYS = ("idle", "starts", "shares")
"""Those of `local` that let a model sleep on one machine."""


def _check_order(context: Context) -> Iterator[Problem]:
    hours = context.event.objects("hours") if context.event else []
    times = [written for window in hours for name in ("from", "to") if (written := window.string(name))]
    for earlier, later in itertools.pairwise(times):
        first, second = parse_instant(earlier.value), parse_instant(later.value)
        may_touch = later.path[-1] == "from"
        if first and second and (first > second or (first == second and not may_touch)):
            yield UNORDERED_HOURS.problem(
                later.location,
                found=f"{quoted(later.value)}, which is not after {quoted(earlier.value)}",
                expected="times that follow one another",
                fix="check the day and the zone of both; write the hours in their order",
            )


UNORDERED_HOURS = CheckedRule(
    id="C421",
    title="hours that do not follow one another",
    meaning="""\
Each of the `hours` begins before it ends, and none begins before the one above it ends.""",
    example=Example(
        at="$",
        wrong='"endpoints": [{"name": "naps", "integration": {"type": "api"}, '
        '"local": {"engine": "command", "run": ["serve", "{port}"], "idle": "10m"}}], '
        '"event": {"hours": [{"from": "2030-06-01T18:00:00Z", "to": "2030-06-01T08:00:00Z"}]}',
        right='"endpoints": [{"name": "naps", "integration": {"type": "api"}, '
        '"local": {"engine": "command", "run": ["serve", "{port}"], "idle": "10m"}}], '
        '"event": {"hours": [{"from": "2030-06-01T08:00:00Z", "to": "2030-06-01T18:00:00Z"}]}',
    ),
    check=_check_order,
)


def _check_sleepers(context: Context) -> Iterator[Problem]:
    hours = context.event.member("hours") if context.event else None
    if hours and hours.value != [] and not any(_may_sleep(entry) for entry in context.entries):
        yield HOURS_WITHOUT_SLEEPERS.problem(
            hours.key_location,
            found='"hours", and no model that may sleep',
            expected='a model with a "min_capacity" of 0, or one that sleeps on one machine',
            fix='give its "autoscaling" a "min_capacity" of 0, or its "local" an "idle"; or remove "hours"',
        )


def _may_sleep(entry: ObjectNode) -> bool:
    scaling, local = entry.object("autoscaling"), entry.object("local")
    on_aws = scaling is not None and scaling.value.get("min_capacity") == 0
    return on_aws or (local is not None and any(key in local.value for key in _LOCAL_KEYS))


HOURS_WITHOUT_SLEEPERS = CheckedRule(
    id="C422",
    title="hours without a model that may sleep",
    meaning="""\
Outside its `hours` an event lets models sleep that may sleep: those with a `min_capacity` of 0 on AWS, and
on one machine those whose `local` has `idle`, `starts` or `shares`. All others run, and are billed, all the
time, so these `hours` would do nothing.""",
    example=Example(
        at="$.event",
        wrong='"hours": [{"from": "2030-06-01T08:00:00Z", "to": "2030-06-01T18:00:00Z"}]',
        right='"ends": "2030-06-01T18:00:00Z"',
    ),
    check=_check_sleepers,
)


def _check_over(context: Context) -> Iterator[Problem]:
    hours = context.event.objects("hours") if context.event else []
    ends = [written for window in hours if (written := window.string("to"))]
    instants = [instant for written in ends if (instant := parse_instant(written.value))]
    if ends and len(instants) == len(hours) and max(instants) <= context.now:
        now = context.now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        yield HOURS_OVER.problem(
            ends[-1].location,
            found=f"{quoted(ends[-1].value)}, the end of the last hours, which is in the past",
            expected=f"hours that end later than now, {now}",
            fix='check the year and the zone; add hours, or remove "hours" so that calls wake the models',
        )


HOURS_OVER = CheckedRule(
    id="C423",
    title="hours that are over",
    meaning="""\
Outside its `hours` an event lets models sleep, whoever calls. All of these `hours` are over, so nobody can
wake a model that may sleep.""",
    example=Example(
        at="$",
        wrong='"endpoints": [{"name": "naps", "integration": {"type": "api"}, '
        '"local": {"engine": "command", "run": ["serve", "{port}"], "idle": "10m"}}], '
        '"event": {"hours": [{"from": "2020-06-01T08:00:00Z", "to": "2020-06-01T18:00:00Z"}]}',
        right='"endpoints": [{"name": "naps", "integration": {"type": "api"}, '
        '"local": {"engine": "command", "run": ["serve", "{port}"], "idle": "10m"}}], '
        '"event": {"hours": [{"from": "2030-06-01T08:00:00Z", "to": "2030-06-01T18:00:00Z"}]}',
    ),
    check=_check_over,
    severity="warning",
)

RULES = (UNORDERED_HOURS, HOURS_WITHOUT_SLEEPERS, HOURS_OVER)
