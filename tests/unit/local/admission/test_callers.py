"""Who counts as being about at an entry, and who gives way to the others."""

from __future__ import annotations

import pytest

from centralized_ml_api.local.admission.callers import (
    ABOUT_SECONDS,
    GIVES_WAY_SECONDS,
    LATELY_SECONDS,
    MOST_ABOUT_SECONDS,
    MUCH_MORE,
    NEWCOMER_ABOUT_SECONDS,
    Caller,
    Presence,
)

MOMENT = 1000.0


def call_at(*moments: float) -> Caller:
    caller = Caller(seen=moments[0], counted=moments[0])
    for moment in moments[1:]:
        caller.come(moment, is_busy=False)
    return caller


@pytest.mark.parametrize(
    ("moments", "seconds"),
    [
        ((0.0,), NEWCOMER_ABOUT_SECONDS),
        ((0.0, 1.0), ABOUT_SECONDS),
        ((0.0, 30.0), 90.0),
        ((0.0, 40.0, 40.0), 90.0),
        ((0.0, 1000.0), MOST_ABOUT_SECONDS),
        ((0.0, 1000.0, 1000.0, 1000.0, 1000.0, 1000.0), 3 * MOST_ABOUT_SECONDS * 0.75**4),
    ],
    ids=[
        "one call",
        "often",
        "now and then",
        "less the more often of late",
        "hardly ever",
        "after a day off",
    ],
)
def test_a_caller_is_about_for_three_of_its_usual_pauses(moments: tuple[float, ...], seconds: float) -> None:
    caller, last = call_at(*moments), moments[-1]
    assert caller.stays_about(last + seconds - 0.1)
    assert not caller.stays_about(last + seconds)


def test_calls_at_once_are_no_pauses() -> None:
    caller = call_at(0.0, 30.0)
    for _ in range(9):
        caller.come(30.0, is_busy=True)
    assert caller.stays_about(119.0)


def test_the_average_of_a_call_under_way_grows_to_one_and_is_forgotten() -> None:
    caller = Caller(seen=0.0, counted=0.0)
    assert caller.average(1, LATELY_SECONDS) == pytest.approx(0.632, abs=0.001)
    assert caller.average(1, 100 * LATELY_SECONDS) == pytest.approx(1)
    caller.count(1, 100 * LATELY_SECONDS)
    assert caller.average(0, 101 * LATELY_SECONDS) == pytest.approx(0.368, abs=0.001)


def have(*places: float, ended: float = MOMENT) -> dict[str, Caller]:
    """Returns callers that had so many places on average until their last call ended."""
    return {
        name: Caller(seen=MOMENT, counted=ended, places=had)
        for name, had in zip("abcde", places, strict=False)
    }


@pytest.mark.parametrize(
    ("places", "giving_way"),
    [
        ((1.0,), ""),
        ((0.0, 0.0), ""),
        ((0.1 * MUCH_MORE, 0.1), ""),
        ((0.11 * MUCH_MORE, 0.1), "a"),
        ((0.4, 0.05, 0.05, 0.05), "a"),
        ((0.4, 0.4, 0.05, 0.05, 0.05), "ab"),
        ((0.4, 0.4, 0.4, 0.4, 0.05), ""),
    ],
    ids=["alone", "nothing", "twice", "more", "one of many", "two of them", "nearly all of them"],
)
def test_who_had_much_more_than_the_others_gives_way(places: tuple[float, ...], giving_way: str) -> None:
    presence = Presence(have(*places), {}, (), MOMENT)
    assert presence.giving_way == set(giving_way)
    assert set(presence.about) == set("abcde"[: len(places)])


def test_nobody_gives_way_for_long_after_its_last_call() -> None:
    callers = have(0.9, 0.0, ended=MOMENT - GIVES_WAY_SECONDS)
    assert not Presence(callers, {}, "a", MOMENT).giving_way
    assert Presence(callers, {"a": 1}, "a", MOMENT).giving_way == {"a"}


def test_nobody_gives_way_to_those_who_have_left() -> None:
    callers = have(0.9, 0.1)
    callers["b"].seen = MOMENT - NEWCOMER_ABOUT_SECONDS
    presence = Presence(callers, {}, (), MOMENT)
    assert set(presence.about) == {"a"}
    assert not presence.giving_way
    assert Presence(callers, {"b": 1}, (), MOMENT).about.keys() == {"a", "b"}
    assert Presence(callers, {}, "b", MOMENT).about.keys() == {"a", "b"}
