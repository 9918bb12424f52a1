"""When limits are used up, if what they limit goes on as in the last minutes."""

from __future__ import annotations

import pytest

from centralized_ml_api.organizer.forecast import FAR_MINUTES, Forecast

RED = ("red", "usd")


def looked(*uses: tuple[float, float]) -> Forecast:
    """After looks at these instants, at which so much was used."""
    forecast = Forecast()
    for at, used in uses:
        forecast.note({RED: used}, at)
    return forecast


def test_it_goes_on_as_in_the_last_minutes() -> None:
    forecast = looked((1000, 10), (1060, 12))
    assert forecast.minutes_left(RED, 14, 20, 1120) == 3, "6 are left, at 2 a minute"
    assert forecast.minutes_left(RED, 14, 20.1, 1120) == 4, "rounded up: it is not used up before"


def test_it_says_nothing_before_it_has_looked_for_a_minute() -> None:
    assert Forecast().minutes_left(RED, 9, 10, 1000) is None
    forecast = looked((1000, 0))
    assert forecast.minutes_left(RED, 9, 10, 1059) is None
    assert forecast.minutes_left(RED, 9, 10, 1060) == 1


@pytest.mark.parametrize("used", [10, 9, 20, 21])
def test_it_says_nothing_of_what_does_not_grow_or_is_used_up(used: float) -> None:
    assert looked((1000, 10)).minutes_left(RED, used, 20, 1100) is None


def test_what_was_before_the_last_minutes_is_forgotten() -> None:
    forecast = looked((0, 0), (1000, 100), (1250, 100))
    assert forecast.minutes_left(RED, 112, 120, 1250) == 3, "12 in 250 s"
    assert forecast.minutes_left(RED, 112, 120, 1301) is None, "of these, nothing was looked at long enough"


def test_of_what_was_not_there_nothing_was_used() -> None:
    forecast = Forecast()
    forecast.note({}, 1000)
    assert forecast.minutes_left(RED, 5, 10, 1060) == 1


def test_what_is_far_away_or_begins_anew_before_is_not_said() -> None:
    forecast = looked((0, 0))
    assert forecast.minutes_left(RED, 1, 1 + FAR_MINUTES, 60) == FAR_MINUTES
    assert forecast.minutes_left(RED, 1, 1.1 + FAR_MINUTES, 60) is None
    assert forecast.minutes_left(RED, 1, 3, 60, until=181) == 2
    assert forecast.minutes_left(RED, 1, 3, 60, until=180) is None, "just then it begins anew"


def test_looks_lie_apart_and_a_clock_that_is_set_back_begins_anew() -> None:
    often = looked((1000, 0), (1029, 50), (1030, 10))
    assert often.minutes_left(RED, 60, 120, 1300) == 5
    assert often.minutes_left(RED, 40, 41, 1301) == 1, "since 1030: there was no look at 1029"
    back = looked((5000, 50), (100, 10))
    assert back.minutes_left(RED, 20, 30, 160) == 1
