"""How an entry is, from its services and from how it sleeps: every field."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.run.entry_statuses import (
    OUTSIDE_HOURS,
    add_calls,
    entry_statuses,
    word_sleep,
)
from centralized_ml_api.local.run.registry import Running
from centralized_ml_api.local.servers.parts import ModelSpec
from centralized_ml_api.local.sleep.types import View
from centralized_ml_api.local.status import EntryStatus, PartStatus, SleepStatus
from centralized_ml_api.local.supervision.service import Report
from centralized_ml_api.plan.types import LocalPlan, SleepPlan
from support.fake_target import ECHO, FakeService, entry, plan

if TYPE_CHECKING:
    from centralized_ml_api.local.sleep.types import Phase
    from centralized_ml_api.local.supervision.service import ServiceState

SPEC = ModelSpec("a", LocalPlan(ECHO, 1, {}), ())
REPORT = Report("ready", "well", 1, 2, 3, (4711,), ("a line",), 4, "silent")
AWAKE = View("ready", failed=False, ready_in=0.0, wakes=5, asleep_seconds=6.0, wake_seconds=7.2, called=True)
SLEEPS = replace(entry("a"), sleep=SleepPlan(shares="gpu"))


class Reporting(Running):
    """A service that says what the test says, and never runs."""

    def __init__(self, report: Report) -> None:
        super().__init__(SPEC, FakeService(SPEC), "a@1", make=FakeService, ended=lambda: None)
        self._report = report

    def report(self) -> Report:
        return self._report


def test_the_calls_at_an_entry_are_those_that_the_admission_service_tells() -> None:
    told = {"a": {"under_way": 5, "waiting": 2, "places": 8}, "b": {"under_way": 1, "waiting": 0}}
    calls = [
        add_calls(replace(status(REPORT), name=name, waiting=9), told) for name in ("a", "b", "never called")
    ]
    shown = [(entry.under_way, entry.waiting, entry.places) for entry in calls]
    assert shown == [(5, 2, 8), (1, 0, None), (0, 0, None)]


def status(report: Report, view: View | None = None) -> EntryStatus:
    served = plan(SLEEPS if view else entry("a"))
    (found,) = entry_statuses(served, {}, {"a": Reporting(report)}.get, lambda _: view)
    return found


def test_everything_that_a_service_reports_is_there() -> None:
    part = PartStatus("a", "ready", "well", 1, 2, 3, (4711,), ("a line",), 4, "silent")
    assert status(REPORT) == EntryStatus("a", "/a", "ready", "well", "command", "api", (part,))
    assert status(REPORT, AWAKE).sleep == SleepStatus(5, 6.0, 0.0, 7.2, "gpu", wanted=False)
    assert status(REPORT, replace(AWAKE, wanted=True)).sleep == SleepStatus(
        5, 6.0, 0.0, 7.2, "gpu", wanted=True
    )


def test_an_entry_without_services_says_why_it_is_not_served() -> None:
    served = plan(entry("a", None), entry("b"))
    a, b = entry_statuses(served, {"a": "no server"}, lambda _: None)
    assert a == EntryStatus("a", "/a", "not served", "no server", "", "api", ())
    assert (b.state, b.detail, b.engine) == ("not served", "", "command")


@pytest.mark.parametrize(
    ("phase", "called", "service", "state"),
    [
        ("asleep", False, "asleep", "asleep"),
        ("stopping", True, "ready", "asleep"),
        ("closing", True, "ready", "ready"),
        ("waking", True, "starting", "waking"),
        ("waking", True, "failed", "failed"),
        ("waking", False, "starting", "starting"),
        ("ready", True, "ready", "ready"),
        ("ready", True, "unready", "unready"),
    ],
)
def test_one_that_sleeps_and_wakes_says_so(
    phase: Phase, *, called: bool, service: ServiceState, state: str
) -> None:
    view = replace(AWAKE, phase=phase, called=called)
    assert status(replace(REPORT, state=service), view).state == state


def test_one_that_did_not_wake_has_failed_and_the_hours_are_told() -> None:
    asleep = replace(AWAKE, phase="asleep")
    failed = status(replace(REPORT, state="failed", detail="no memory"), replace(asleep, failed=True))
    assert (failed.state, failed.detail) == ("failed", "no memory")
    closed = replace(asleep, closed=True)
    assert status(replace(REPORT, state="asleep", detail=""), closed).detail == OUTSIDE_HOURS
    assert status(REPORT, replace(AWAKE, closed=True)).detail == "well", "its last calls come to an end"


def test_participants_are_told_whole_seconds() -> None:
    assert word_sleep(status(REPORT, AWAKE)) == {"state": "awake", "wakes_in_seconds": 8}
    waking = replace(AWAKE, phase="waking", wake_seconds=None)
    assert word_sleep(status(replace(REPORT, state="starting"), waking)) == {
        "state": "waking",
        "wakes_in_seconds": None,
    }
    assert word_sleep(status(REPORT)) == {"state": "awake", "wakes_in_seconds": None}
