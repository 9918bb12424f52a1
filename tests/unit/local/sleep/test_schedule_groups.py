"""Who is next in a group, of which one runs at a time."""

from __future__ import annotations

import pytest

from centralized_ml_api.local.sleep.schedule import LINGER_SECONDS, LONGEST_TURN_SECONDS
from centralized_ml_api.local.sleep.types import Calls, Step
from centralized_ml_api.plan.types import SleepPlan
from support.scheduled import CALL_SECONDS, GPU, NAPS, did, schedule


def test_in_a_group_the_unused_one_makes_room_at_once() -> None:
    made = schedule(a=(GPU, "ready"), b=(GPU, "asleep"), c=(SleepPlan(shares="cpu"), "ready"))
    made.note_calls("b", Calls(waiting=1), 50)
    assert did(made, 50) == ["close a", "stop a"]
    assert did(made, 51) == [], "a still runs"
    made.note_asleep("a", 52)
    assert did(made, 52) == ["wake b"]


def test_one_that_was_used_a_moment_ago_still_counts_as_used() -> None:
    made = schedule(a=(GPU, "ready"), b=(GPU, "asleep"))
    made.note_calls("a", Calls(taken=1), 50)
    made.note_calls("b", Calls(waiting=1), 50.1)
    assert did(made, 50.1) == []
    assert made.next_at(50.1) == 50 + LINGER_SECONDS
    assert did(made, 51) == ["close a", "stop a"]


def test_a_busy_one_makes_room_after_its_turn_and_its_calls() -> None:
    made = schedule(a=(GPU, "ready"), b=(GPU, "asleep"))
    made.note_calls("a", Calls(under_way=2, taken=2), 50)
    made.note_calls("b", Calls(waiting=1), 50)
    turn_over = 50 + CALL_SECONDS / 2
    assert made.next_at(50) == turn_over
    assert did(made, turn_over - 0.1) == []
    assert did(made, turn_over) == ["close a"]
    made.note_calls("a", Calls(under_way=1, waiting=3, taken=2), 65)
    assert did(made, 1000) == [], "a call is under way, and the new ones wait like those of the others"
    made.note_calls("a", Calls(waiting=3, taken=2), 1001)
    assert did(made, 1001) == ["stop a"]
    made.note_asleep("a", 1002)
    assert did(made, 1002) == ["wake b"]
    made.note_ready("b", 1003)
    made.note_calls("b", Calls(under_way=1, taken=1), 1003)
    assert made.next_at(1003) == 1003 + CALL_SECONDS / 2, "the turn counts from when it was ready"


@pytest.mark.parametrize(
    ("call_seconds", "wake_seconds", "turn"),
    [
        pytest.param(29, 3, 13, id="half-of-what-is-left"),
        pytest.param(29, 25, 25, id="never-shorter-than-a-wake"),
        pytest.param(600, 5, LONGEST_TURN_SECONDS, id="never-longer-than-that"),
    ],
)
def test_a_turn_lets_the_calls_that_wait_be_answered_in_time(
    call_seconds: float, wake_seconds: float, turn: float
) -> None:
    made = schedule(call_seconds, a=(GPU, "ready"), b=(GPU, "asleep"))
    made.learn("b", wake_seconds)
    made.note_calls("a", Calls(under_way=1, taken=1), 100)
    made.note_calls("b", Calls(waiting=1), 100)
    assert made.next_at(100) == 100 + turn
    assert made.view("b", 100).ready_in == turn + wake_seconds


def test_one_that_makes_room_goes_on_if_nobody_wants_the_place_any_more() -> None:
    made = schedule(a=(GPU, "ready"), b=(GPU, "asleep"))
    made.note_calls("a", Calls(under_way=1, taken=1), 0)
    made.note_calls("b", Calls(waiting=1), 0)
    assert did(made, 30) == ["close a"]
    made.note_calls("a", Calls(under_way=1, waiting=1, taken=1), 31)
    assert did(made, 31) == []
    made.note_calls("b", Calls(), 32)
    assert did(made, 32) == ["open a"]


def test_claims_are_served_in_their_order() -> None:
    made = schedule(a=(GPU, "asleep"), b=(GPU, "asleep"), c=(GPU, "asleep"))
    for seconds, name in enumerate(("c", "a", "b")):
        made.note_calls(name, Calls(waiting=1), seconds)
    order = []
    for round_number in range(3):
        now = 10.0 * (round_number + 1)
        (woken,) = (step.name for step in made.advance(now) if step.action == "wake")
        order.append(woken)
        made.note_ready(woken, now + 1)
        made.note_calls(woken, Calls(taken=1), now + 1)
        did(made, now + 1 + LINGER_SECONDS)
        made.note_asleep(woken, now + 3)
    assert order == ["c", "a", "b"]


def test_nothing_wakes_in_a_group_in_which_something_nameless_still_runs() -> None:
    made = schedule(a=(GPU, "asleep"))
    made.want("a", 0)
    assert made.advance(0, blocked={"gpu"}) == []
    assert made.advance(1, blocked={"cpu"}) == [Step("wake", "a")]


def test_entries_that_become_a_group_while_awake_make_room() -> None:
    made = schedule(a=(NAPS, "ready"), b=(NAPS, "ready"))
    made.note_calls("a", Calls(taken=1), 5)
    made.adopt({"a": GPU, "b": GPU}, {}, {}, 6)
    assert did(made, 6) == ["close b", "stop b"]
    assert did(made, 7) == []
