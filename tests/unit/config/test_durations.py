"""Lengths of time, as users write them and as they are shown."""

from __future__ import annotations

import pytest

from centralized_ml_api.config.durations import parse_duration, render_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("30m", 1800), ("48h", 172_800), ("2d", 172_800), ("1.5h", 5400), ("0s", 0)],
)
def test_a_length_of_time_is_a_number_and_a_unit(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "10", "m", "-5m", "10 m", "10M", "1h30m", "inf", "5w"])
def test_everything_else_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"), [(5400, "90m"), (7200, "2h"), (90, "90s"), (1.5, "1.5s"), (172_800, "48h")]
)
def test_it_is_shown_in_whole_hours_or_minutes_where_it_has_them(seconds: float, text: str) -> None:
    assert render_duration(seconds) == text
    assert parse_duration(text) == seconds
