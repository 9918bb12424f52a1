"""How long models took to wake, over restarts of `mlapi up`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.sleep.wake_times import WAKE_TIMES_FILE, WakeTimes

if TYPE_CHECKING:
    from pathlib import Path


def test_what_is_expected_is_the_median_of_the_last_three(tmp_path: Path) -> None:
    times = WakeTimes(tmp_path / WAKE_TIMES_FILE)
    assert times.expect("a", "python: ocr") is None
    for seconds, expected in ((9, 9), (2, 5.5), (3, 3), (2.5, 2.5), (40, 3)):
        times.note("a", "python: ocr", seconds)
        assert times.expect("a", "python: ocr") == expected
    assert times.expect("b", "python: ocr") is None


def test_it_is_known_to_the_next_process_and_to_nobody_else(tmp_path: Path) -> None:
    path = tmp_path / WAKE_TIMES_FILE
    times = WakeTimes(path)
    times.note("a", "python: ocr", 2)
    times.note("b", "command: serve", 3)
    again = WakeTimes(path)
    assert (again.expect("a", "python: ocr"), again.expect("b", "command: serve")) == (2, 3)
    assert path.stat().st_mode & 0o777 == 0o600


def test_another_model_under_the_same_name_is_measured_anew(tmp_path: Path) -> None:
    times = WakeTimes(tmp_path / WAKE_TIMES_FILE)
    times.note("a", "small", 2)
    assert times.expect("a", "large") is None
    times.note("a", "large", 60)
    assert (times.expect("a", "small"), times.expect("a", "large")) == (None, 60)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"a": 1}', '{"a": {"model": "m"}}', '{"a": {"seconds": ["x"]}}', "\0"]
)
def test_a_damaged_file_says_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / WAKE_TIMES_FILE
    path.write_text(text)
    times = WakeTimes(path)
    assert times.expect("a", "m") is None
    times.note("a", "m", 1)
    assert WakeTimes(path).expect("a", "m") == 1


@pytest.mark.parametrize("seconds", ["NaN", "1e999", "-1", "0", "86401", pytest.param("9" * 400, id="huge")])
def test_what_nobody_can_have_measured_counts_for_nothing(tmp_path: Path, seconds: str) -> None:
    path = tmp_path / WAKE_TIMES_FILE
    path.write_text(f'{{"a": {{"model": "m", "seconds": [{seconds}]}}}}')
    assert WakeTimes(path).expect("a", "m") is None


def test_a_file_of_brackets_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / WAKE_TIMES_FILE
    path.write_text("[" * 100_000)
    assert WakeTimes(path).expect("a", "m") is None


def test_a_file_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    times = WakeTimes(tmp_path / "file" / WAKE_TIMES_FILE)
    times.note("a", "m", 1)
    assert times.expect("a", "m") == 1
