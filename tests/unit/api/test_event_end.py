from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from centralized_ml_api.api.event_end import render_instant, render_left


def test_an_instant_is_in_utc_to_the_second() -> None:
    noon = datetime(2030, 6, 1, 12, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=-7)))
    assert render_instant(noon) == "2030-06-01T19:00:00Z"
    assert datetime.fromisoformat(render_instant(noon)) == noon.replace(microsecond=0).astimezone(UTC)


@pytest.mark.parametrize(
    ("left", "shown"),
    [
        (timedelta(days=2, hours=3, minutes=4), "2 days 3 h"),
        (timedelta(days=1, seconds=-0.2), "1 day"),
        (timedelta(hours=1, minutes=59, seconds=59), "1 h 59 min"),
        (timedelta(hours=2, seconds=59), "2 h"),
        (timedelta(seconds=61), "1 min"),
        (timedelta(seconds=59), "59 s"),
        (timedelta(seconds=-9), "0 s"),
    ],
)
def test_a_length_of_time_is_shown_in_its_two_largest_units(left: timedelta, shown: str) -> None:
    assert render_left(left) == shown
