"""The instant at which the keys of an event begin to work: before its end, and not without keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.checked_rule import CheckedRule
from centralized_ml_api.config.checks.event.ends import parse_instant
from centralized_ml_api.config.rule import Example
from centralized_ml_api.config.wording import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem


def _check_order(context: Context) -> Iterator[Problem]:
    starts, ends = (context.event.string(name) if context.event else None for name in ("starts", "ends"))
    if starts is None or ends is None:
        return
    first, last = parse_instant(starts.value), parse_instant(ends.value)
    if first and last and first >= last:
        yield START_AFTER_END.problem(
            starts.location,
            found=f"{quoted(starts.value)}, which is not before the end, {quoted(ends.value)}",
            expected='a time before "ends"',
            fix="check the day and the zone of both",
        )


START_AFTER_END = CheckedRule(
    id="C414",
    title="start that is not before the end",
    meaning="""\
The keys of the teams work from `starts` to `ends`. With this start they would never work.""",
    example=Example(
        at="$.event",
        wrong='"teams": ["red"], "starts": "2030-06-02T09:00:00Z", "ends": "2030-06-01T18:00:00Z"',
        right='"teams": ["red"], "starts": "2030-06-01T09:00:00Z", "ends": "2030-06-01T18:00:00Z"',
    ),
    check=_check_order,
)


def _check_keys(context: Context) -> Iterator[Problem]:
    event = context.event
    starts = event.member("starts") if event else None
    if event and starts and not context.has_teams:
        yield START_WITHOUT_TEAMS.problem(
            starts.key_location,
            found='"starts" without "teams"',
            expected='"teams", whose keys work from then on',
            fix='add "teams": ["red"], or remove "starts"',
        )


START_WITHOUT_TEAMS = CheckedRule(
    id="C415",
    title="start without teams",
    meaning="""\
Until `starts`, the keys of the teams are refused. Without teams there are no keys, and anyone may call.""",
    example=Example(
        at="$",
        wrong='"event": {"starts": "2030-06-01T09:00:00Z"}',
        right='"event": {"teams": ["red"], "starts": "2030-06-01T09:00:00Z"}',
    ),
    check=_check_keys,
)

RULES = (START_AFTER_END, START_WITHOUT_TEAMS)
