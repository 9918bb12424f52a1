"""What becomes of each entry at a reload, and what the reload says of itself."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.local.run.change import Change, Failure, Reloaded, decide_change, describe_reload
from centralized_ml_api.local.run.specs import build_desired_state
from centralized_ml_api.plan.engines import CommandServing
from centralized_ml_api.plan.event import BudgetPlan, EventPlan, TeamPlan, Throttle
from centralized_ml_api.plan.hours import Window
from centralized_ml_api.plan.types import ApiPlan
from support.fake_target import entry, function, plan, running

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.local.supervision.service import ServiceState

RED = TeamPlan("red", Throttle(5, 10), None, None)
BLUE = TeamPlan("blue", Throttle(5, 10), None, None)
MORNING = datetime(2099, 1, 1, 8, tzinfo=UTC)
OTHER = CommandServing(("other",), ping="/ping", invocations="/other")


def change(
    before: ApiPlan,
    after: ApiPlan,
    *,
    old: dict[str, ServiceState] | None = None,
    fresh: dict[str, ServiceState] | None = None,
    **report: Any,
) -> Change:
    """The change when the old services are in these states (else ready), and the fresh ones in those."""

    async def decide() -> Change:
        was, will = build_desired_state(before).specs, build_desired_state(after).specs
        found = {name: await running(spec, (old or {}).get(name, "ready")) for name, spec in was.items()}
        new = {name: await running(will[name], state, **report) for name, state in (fresh or {}).items()}
        return decide_change(before, after, found.get, new)

    return asyncio.run(decide())


def test_entries_are_taken_as_they_are_in_the_new_plan_and_in_its_order() -> None:
    before = plan(entry("a"), entry("b"), entry("c"))
    after = plan(entry("d"), entry("b", OTHER), entry("a"))
    assert change(before, after, fresh={"b": "ready", "d": "ready"}) == Change(
        after.deployments, Reloaded(added=("d",), changed=("b",), removed=("c",))
    )


def test_an_entry_changes_by_its_words_or_by_its_code() -> None:
    before = plan(entry("a"), entry("b"), entry("c"))
    after = plan(entry("a", description="new"), entry("b"), entry("c"))
    assert change(before, after, fresh={"b": "ready"}).reloaded.changed == ("a", "b")


@pytest.mark.parametrize("part", ["a", "a.function"])
def test_an_entry_with_a_part_that_fails_is_kept_whole(tmp_path: Path, part: str) -> None:
    before = plan(entry("a", function=function(tmp_path), integration="lambda"), entry("b"))
    after = plan(
        entry("a", OTHER, function=function(tmp_path, memory_mib=512), integration="lambda"),
        entry("b", OTHER),
    )
    states: dict[str, ServiceState] = {"a": "ready", "a.function": "ready", "b": "ready", part: "failed"}
    lines = tuple(str(number) for number in range(9))
    changed = change(before, after, fresh=states, log=lines)
    assert changed.deployments == (before.deployments[0], after.deployments[1])
    assert changed.reloaded == Reloaded(changed=("b",), kept=(Failure("a", "", lines[3:]),))


@pytest.mark.parametrize("state", ["ready", "unready", "starting"])
def test_what_is_not_failed_takes_over(state: ServiceState) -> None:
    after = plan(entry("a", OTHER))
    changed = change(plan(entry("a")), after, fresh={"a": state})
    assert (changed.deployments, changed.reloaded) == (after.deployments, Reloaded(changed=("a",)))


def test_what_did_not_work_before_is_not_kept() -> None:
    before = plan(entry("a"), entry("b", serving=None))
    after = plan(entry("a", OTHER), entry("b"), entry("c"))
    changed = change(
        before,
        after,
        old={"a": "failed"},
        fresh={"a": "failed", "b": "failed", "c": "failed"},
        detail="no such program",
    )
    assert changed.deployments == after.deployments
    failures = tuple(Failure(name, "no such program", ()) for name in "abc")
    assert changed.reloaded == Reloaded(added=("c",), changed=("a", "b"), failed=failures)


def test_an_entry_of_which_one_part_had_failed_is_not_kept(tmp_path: Path) -> None:
    before = plan(entry("a", function=function(tmp_path), integration="lambda"))
    after = plan(entry("a", OTHER, function=function(tmp_path), integration="lambda"))
    changed = change(before, after, old={"a.function": "failed"}, fresh={"a": "failed"})
    assert (changed.reloaded.kept, len(changed.reloaded.failed)) == ((), 1)


def said(before: EventPlan, after: EventPlan) -> str:
    old, new = (ApiPlan((), (), event=event) for event in (before, after))
    return describe_reload(asdict(decide_change(old, new, lambda _: None, {}).reloaded))


@pytest.mark.parametrize(
    ("after", "words"),
    [
        ({"teams": (RED, BLUE)}, "teams"),
        ({"teams": ()}, "teams"),
        ({"teams": (TeamPlan("red", RED.throttle, None, ("a",)),)}, "models of teams"),
        ({"teams": (TeamPlan("red", RED.throttle, 500, None),)}, "limits"),
        ({"teams": (TeamPlan("red", RED.throttle, None, None, 4),)}, "limits"),
        ({"teams": (TeamPlan("red", Throttle(5, 11), None, None),)}, "limits"),
        ({"teams": (RED,), "throttle": Throttle(1, 2)}, "limits"),
        ({"teams": (RED,), "ends": datetime(2099, 1, 1, tzinfo=UTC)}, "end"),
        ({"teams": (BLUE,), "throttle": Throttle(1, 2)}, "teams, limits"),
        ({"teams": (RED,), "budget": BudgetPlan(500, "us@example.org")}, "budget"),
        ({"teams": (RED,), "aliases": {"gpt-4o": "chat"}}, "aliases"),
        ({"teams": (RED,), "hours": (Window(MORNING, MORNING + timedelta(hours=8)),)}, "hours"),
        ({"teams": (RED,), "title": "Hack", "welcome": "Hi", "logo": "l.svg"}, "title, welcome, logo"),
    ],
)
def test_what_changed_of_the_event_is_said(after: dict[str, Any], words: str) -> None:
    assert said(EventPlan(teams=(RED,)), EventPlan(**after)) == f"Reloaded: changed in the event: {words}."


def test_the_same_event_is_not_mentioned() -> None:
    event = EventPlan(teams=(RED, BLUE))
    assert said(event, event) == "Reloaded: the API already matches the config."


def test_everything_a_reload_did_is_said_with_the_last_lines_of_what_failed() -> None:
    done = Reloaded(
        added=("a", "b"),
        changed=("c",),
        removed=("d",),
        kept=(Failure("e", "ended with status 1", ("one line", "another")),),
        failed=(Failure("a", "no such program", ()),),
        event=("end",),
    )
    assert describe_reload(asdict(done)).splitlines() == [
        "Reloaded: added a, b; changed c; removed d; changed in the event: end.",
        "e keeps its old version; the new one could not be started: ended with status 1",
        "    | one line",
        "    | another",
        "a could not be started: no such program",
    ]
    for nothing in (Reloaded(kept=done.kept), Reloaded(failed=done.failed)):
        assert describe_reload(asdict(nothing)).startswith("Reloaded: nothing changed.\n")


def test_a_reload_after_the_edit_applied_itself_says_what_that_edit_changed() -> None:
    edit = {**asdict(Reloaded(added=("a",), event=("teams", "limits"))), "at": 1_893_492_000.0}
    assert describe_reload({**asdict(Reloaded()), "applied_edit": edit}).splitlines() == [
        "Reloaded: the API already matches the config.",
        "The last edit applied itself at 10:00:00Z: added a; changed in the event: teams, limits.",
    ]
    own = {**asdict(Reloaded(removed=("b",))), "applied_edit": edit}
    assert describe_reload(own) == "Reloaded: removed b."
