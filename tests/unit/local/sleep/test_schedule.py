"""Who wakes and who goes to sleep, each by itself; what a reload keeps, and how long a call would wait."""

from __future__ import annotations

from centralized_ml_api.local.sleep.sleeper import FIRST_PAUSE_SECONDS, KEPT_SECONDS, LONGEST_PAUSE_SECONDS
from centralized_ml_api.local.sleep.types import Calls, Step
from centralized_ml_api.plan.types import SleepPlan
from support.scheduled import CALL_SECONDS, GPU, NAPS, did, phases, schedule


def test_an_entry_that_nobody_calls_goes_to_sleep_after_its_time() -> None:
    made = schedule(a=(NAPS, "ready"))
    assert made.next_at(0) == 60
    assert did(made, 59.9) == []
    assert did(made, 60) == ["close a", "stop a"]
    assert phases(made, 61) == {"a": "stopping"}
    made.note_asleep("a", 61)
    assert phases(made, 61) == {"a": "asleep"}
    assert made.next_at(61) is None
    assert made.view("a", 71).asleep_seconds == 10


def test_the_time_counts_from_the_end_of_the_last_call() -> None:
    made = schedule(a=(NAPS, "ready"))
    made.note_calls("a", Calls(under_way=1, taken=1), 50)
    assert did(made, 1000) == [], "it has a call under way"
    assert made.next_at(1000) is None
    made.note_calls("a", Calls(taken=1), 1000)
    assert did(made, 1059) == []
    made.note_calls("a", Calls(taken=2), 1059)  # one that came and went between two looks
    assert made.next_at(1059) == 1119
    assert did(made, 1119) == ["close a", "stop a"]


def test_nobody_goes_to_sleep_while_the_calls_are_not_known() -> None:
    made = schedule(a=(NAPS, "ready"), b=(GPU, "ready"), c=(GPU, "asleep"))
    made.sees_calls = False
    made.want("c", 10)
    assert did(made, 100) == []
    made.sees_calls = True
    assert did(made, 100) == ["close a", "close b", "stop a", "stop b"]


def test_an_entry_is_not_stopped_before_it_is_sure_that_no_further_call_goes_on() -> None:
    made = schedule(a=(NAPS, "ready"))
    assert made.advance(60) == [Step("close", "a")]
    assert made.advance(61) == []
    made.note_calls("a", Calls(under_way=1, taken=1), 61)  # it had gone on a moment before
    made.note_closed("a")
    assert made.advance(61) == []
    made.note_calls("a", Calls(taken=1), 62)
    assert made.advance(62) == [Step("stop", "a")]


def test_a_call_wakes_an_entry_once_however_many_come() -> None:
    made = schedule(a=(NAPS, "asleep"))
    for number in range(1, 4):
        made.note_calls("a", Calls(waiting=number), number)
        assert did(made, number) == (["wake a"] if number == 1 else [])
    assert made.note_ready("a", 5) == 4
    assert made.note_ready("a", 6) is None
    made.note_calls("a", Calls(under_way=3, taken=3), 5)
    view = made.view("a", 6)
    assert (view.phase, view.wakes, view.asleep_seconds, view.ready_in) == ("ready", 1, 1.0, 0.0)


def test_a_call_that_came_while_the_last_ones_end_takes_the_entry_back() -> None:
    made = schedule(a=(NAPS, "ready"))
    made.note_calls("a", Calls(under_way=1, taken=1), 1)
    assert made.dismiss("a")
    assert did(made, 2) == ["close a"], "a call is under way"
    made.note_calls("a", Calls(under_way=1, waiting=1, taken=1), 3)
    assert did(made, 3) == ["open a"]
    assert phases(made, 3) == {"a": "ready"}


def test_an_entry_is_put_to_sleep_by_hand_once_its_calls_are_over() -> None:
    made = schedule(a=(NAPS, "ready"))
    made.note_calls("a", Calls(under_way=2, taken=2), 1)
    assert made.dismiss("a")
    assert did(made, 2) == ["close a"]
    made.note_calls("a", Calls(taken=2), 3)
    assert did(made, 3) == ["stop a"]
    made.note_asleep("a", 4)
    assert made.dismiss("a"), "it sleeps already"
    assert did(made, 5) == []


def test_an_entry_is_not_put_to_sleep_while_calls_wait_for_it() -> None:
    made = schedule(a=(NAPS, "asleep"))
    made.note_calls("a", Calls(waiting=1), 1)
    made.advance(1)
    assert not made.dismiss("a")
    made.note_calls("a", Calls(), 3)  # the caller hung up
    assert made.dismiss("a")
    assert did(made, 3) == ["close a", "stop a"]
    assert made.note_ready("a", 4) is None, "it is being stopped"


def test_an_entry_is_woken_by_hand_and_stays_for_its_idle_time() -> None:
    made = schedule(a=(NAPS, "asleep"))
    made.want("a", 5)
    assert did(made, 5) == ["wake a"]
    made.note_ready("a", 7)
    assert made.next_at(7) == 7 + KEPT_SECONDS
    assert did(made, 66) == []
    assert did(made, 67) == ["close a", "stop a"]
    made = schedule(a=(NAPS, "ready"))
    made.want("a", 30)
    assert did(made, 89) == []
    assert did(made, 90) == ["close a", "stop a"]


def test_an_entry_that_is_woken_by_hand_right_after_it_was_put_to_sleep_stays_awake() -> None:
    made = schedule(a=(NAPS, "ready"))
    assert made.dismiss("a")
    made.want("a", 5)
    assert did(made, 5) == []
    assert phases(made, 5) == {"a": "ready"}


def test_an_entry_in_the_line_of_its_group_is_wanted_until_it_is_put_to_sleep() -> None:
    made = schedule(a=(GPU, "ready"), b=(GPU, "asleep"))
    made.note_calls("a", Calls(under_way=1, taken=1), 1)
    made.want("b", 2)
    assert did(made, 3) == []
    assert made.view("b", 3).wanted
    assert made.dismiss("b")
    assert not made.view("b", 3).wanted
    assert did(made, 3) == []


def test_outside_the_hours_all_sleep_once_their_calls_are_over_whoever_calls() -> None:
    made = schedule(idle=(NAPS, "ready"), busy=(NAPS, "ready"), asleep=(NAPS, "asleep"))
    made.note_calls("busy", Calls(under_way=1, taken=1), 1)
    made.close_hours(100.0)
    assert did(made, 2) == ["close idle", "close busy", "stop idle"]
    made.note_asleep("idle", 3)
    made.note_calls("busy", Calls(under_way=1, waiting=1, taken=1), 3)
    made.note_calls("asleep", Calls(waiting=1), 3)
    assert did(made, 3) == [], "calls that come wake nobody, and take nobody back"
    view = made.view("asleep", 40)
    assert (view.closed, view.ready_in, view.phase) == (True, 60.0, "asleep")
    made.note_calls("busy", Calls(taken=1), 4)
    assert did(made, 4) == ["stop busy"]
    made.close_hours(None)
    assert made.view("idle", 40).ready_in is None


def test_when_the_hours_begin_what_slept_wakes_in_each_group_the_first_or_who_is_wanted() -> None:
    made = schedule(a=(NAPS, "asleep"), b=(GPU, "asleep"), c=(GPU, "asleep"), d=(NAPS, "ready"))
    made.open_hours(0)
    assert did(made, 0) == [], "they never ended"
    made.close_hours(10.0)
    assert did(made, 1) == ["close d", "stop d"]
    made.note_asleep("d", 1)
    made.open_hours(10)
    assert did(made, 10) == ["wake a", "wake b", "wake d"]
    made.open_hours(11)
    assert did(made, 11) == []
    assert not made.view("c", 11).closed
    made = schedule(b=(GPU, "asleep"), c=(GPU, "asleep"))
    made.close_hours(10.0)
    made.note_calls("c", Calls(refused=1), 5)
    made.open_hours(10)
    assert did(made, 10) == ["wake c"]


def test_one_that_starts_outside_the_hours_goes_to_sleep_once_it_is_ready() -> None:
    made = schedule(a=(NAPS, "waking"))
    made.close_hours(100.0)
    assert did(made, 1) == []
    made.note_ready("a", 2)
    assert did(made, 2) == ["close a", "stop a"]


def test_a_caller_who_was_told_to_come_back_wakes_it_too() -> None:
    made = schedule(a=(NAPS, "asleep"))
    made.note_calls("a", Calls(refused=1), 1)
    made.note_calls("a", Calls(refused=1), 2)
    assert did(made, 2) == ["wake a"]


def test_a_caller_who_hung_up_in_the_line_of_a_group_wakes_nobody() -> None:
    made = schedule(a=(GPU, "ready"), b=(GPU, "asleep"))
    made.note_calls("a", Calls(under_way=1, taken=1), 1)
    made.note_calls("b", Calls(waiting=1), 2)
    assert did(made, 2) == []
    made.note_calls("b", Calls(), 3)
    made.note_calls("a", Calls(taken=1), 4)
    assert did(made, 100) == []


def test_an_entry_that_does_not_wake_is_left_alone_for_longer_each_time() -> None:
    made = schedule(a=(NAPS, "asleep"))
    now, pauses = 0.0, []
    for refused in range(1, 8):
        made.note_calls("a", Calls(waiting=1, refused=refused), now)
        assert did(made, now) == ["wake a"]
        made.note_failed("a", now)
        assert did(made, now) == ["close a", "stop a"]
        made.note_asleep("a", now)
        view = made.view("a", now)
        assert view.failed
        assert view.ready_in is not None
        assert made.next_at(now) == now + view.ready_in
        pauses.append(view.ready_in)
        made.note_calls("a", Calls(waiting=1, refused=refused), now + view.ready_in - 1)
        assert did(made, now + view.ready_in - 1) == []
        now += view.ready_in
    assert pauses == [10, 20, 40, 80, 160, LONGEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS]
    assert pauses[0] == FIRST_PAUSE_SECONDS


def test_waking_by_hand_does_not_wait_for_the_pause() -> None:
    made = schedule(a=(NAPS, "asleep"))
    made.want("a", 0)
    assert did(made, 0) == ["wake a"]
    made.note_failed("a", 1)
    assert did(made, 1) == ["close a", "stop a"]
    made.note_asleep("a", 1)
    made.want("a", 2)
    assert did(made, 2) == ["wake a"]
    made.note_ready("a", 3)
    assert not made.view("a", 3).failed


def test_a_reload_keeps_what_entries_have_done_and_knows_who_was_replaced() -> None:
    made = schedule(a=(NAPS, "ready"), b=(NAPS, "asleep"), gone=(NAPS, "ready"))
    made.adopt({"a": SleepPlan(idle_seconds=5), "b": NAPS, "new": NAPS}, {"b": "ready"}, {"a": 2.5}, 10)
    assert made.names == ("a", "b", "new")
    assert "gone" not in made
    assert phases(made, 10) == {"a": "ready", "b": "ready", "new": "asleep"}
    assert did(made, 10) == ["close a", "stop a"]
    made.note_asleep("a", 11)
    assert made.view("a", 11).ready_in == 2.5
    assert made.view("b", 11).asleep_seconds == 10
    made.note_calls("gone", Calls(waiting=1), 12)
    assert made.note_ready("gone", 12) is None


def test_a_reload_costs_nobody_its_place_in_the_line() -> None:
    made = schedule(a=(GPU, "asleep"), b=(GPU, "asleep"))
    made.note_calls("b", Calls(waiting=1), 1)
    made.note_calls("a", Calls(waiting=1), 2)
    made.adopt({"a": GPU, "b": GPU}, {"a": "asleep", "b": "asleep"}, {}, 3)
    assert did(made, 3) == ["wake b"]


def test_how_long_a_call_would_wait_is_told_from_measured_times() -> None:
    made = schedule(a=(GPU, "asleep"), b=(GPU, "asleep"))
    assert made.view("a", 0).ready_in is None, "nobody has measured it"
    made.learn("a", 4)
    made.learn("b", 2)
    assert made.view("a", 0).ready_in == 4
    made.note_calls("a", Calls(waiting=1), 0)
    made.advance(0)
    assert made.view("a", 1).ready_in == 3
    assert made.view("a", 5).ready_in is None, "it takes longer than ever"
    turn = (CALL_SECONDS - 2) / 2
    assert made.view("b", 1).ready_in == 3 + turn + 2
