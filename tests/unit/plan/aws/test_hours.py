"""What the hours of an event schedule for a model that sleeps, and what a later deploy leaves out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from centralized_ml_api.plan.aws.hours import LONGEST_DEPLOY, WARM_UP, build_hours
from centralized_ml_api.plan.aws.types import CapacityChange, HoursPlan
from centralized_ml_api.plan.hours import Window
from centralized_ml_api.plan.types import AutoscalingPlan

SCALING = AutoscalingPlan(0, 3, 5)
DAY = datetime(2030, 6, 1, tzinfo=UTC)


def at(hours: float) -> datetime:
    """So many hours after midnight."""
    return DAY + timedelta(hours=hours)


HOURS = (Window(at(8), at(18)), Window(at(32), at(42)))


def wakes(when: datetime) -> CapacityChange:
    return CapacityChange(when, 1, 3)


def sleeps(when: datetime) -> CapacityChange:
    return CapacityChange(when, 0, 0)


SECOND = (wakes(at(32) - WARM_UP), sleeps(at(42)))


@pytest.mark.parametrize(
    ("now", "plan"),
    [
        (at(0), HoursPlan(0, 0, (wakes(at(8) - WARM_UP), sleeps(at(18)), *SECOND))),
        (at(7), HoursPlan(1, 3, (sleeps(at(18)), *SECOND))),
        (at(12), HoursPlan(1, 3, (sleeps(at(18)), *SECOND))),
        (at(17.5), HoursPlan(1, 3, (sleeps(at(18.5)), *SECOND))),
        (at(18), HoursPlan(0, 0, SECOND)),
        (at(42), HoursPlan(0, 0, ())),
    ],
    ids=["before", "soon", "within", "nearly over", "between", "after"],
)
def test_what_has_passed_or_may_pass_during_the_deploy_is_not_scheduled(
    now: datetime, plan: HoursPlan
) -> None:
    found = build_hours(HOURS, SCALING, now)
    assert found == plan
    assert all(change.at >= now + LONGEST_DEPLOY for change in found.changes)


def test_hours_that_touch_once_they_are_warmed_or_moved_are_one() -> None:
    near = (Window(at(8), at(9)), Window(at(9.25), at(12)))
    assert build_hours(near, SCALING, at(0)).changes == (wakes(at(8) - WARM_UP), sleeps(at(12)))
    later = (Window(at(8), at(9)), Window(at(9.5), at(12)))
    assert build_hours(later, SCALING, at(8.75)) == HoursPlan(1, 3, (sleeps(at(12)),))
