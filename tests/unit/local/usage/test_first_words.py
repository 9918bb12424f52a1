from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.usage.first_words import find_usual_wait, load_usual_wait
from support.access_log import NOON, append, line

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

START = NOON.timestamp()


def streamed(seconds: float, at: datetime = NOON) -> bytes:
    """A stream whose first word came so many seconds after it was asked for."""
    return line(at=at, first_word=str(round((at.timestamp() + seconds) * 1000)))


def test_the_usual_wait_is_the_median_of_streams() -> None:
    lines = (streamed(0.2), streamed(9.0), line(), streamed(0.5), line(first_word=None))
    assert find_usual_wait(lines, START) == pytest.approx(0.5)
    assert find_usual_wait((streamed(1.0), streamed(2.0)), START) == pytest.approx(1.5)


def test_a_stream_that_broke_off_counts() -> None:
    came = str(round((START + 2.0) * 1000))
    cut = line(first_word=came, details="upstream_reset_after_response_started{protocol_error}")
    assert find_usual_wait((cut,), START) == pytest.approx(2.0)


def test_without_a_stream_there_is_no_wait() -> None:
    assert find_usual_wait((line(), line(first_word=None)), START) is None


def test_a_stream_counts_from_when_its_first_word_came() -> None:
    slow = streamed(30.0, NOON - timedelta(seconds=20))
    assert find_usual_wait((slow,), START) == pytest.approx(30.0)
    assert find_usual_wait((slow,), START + 11) is None


def test_a_clock_that_was_set_back_makes_no_wait_negative() -> None:
    assert find_usual_wait((streamed(-5.0),), START - 60) == 0.0


def test_damaged_lines_are_left_out() -> None:
    odd = (b"", b"[]", b'{"time": "2026-', line(first_word="soon"), b'{"first_word": "1"}')
    assert find_usual_wait((*odd, streamed(2.0)), START) == pytest.approx(2.0)


def test_the_end_of_the_log_is_read_and_a_log_may_be_missing(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "access.log"
    assert load_usual_wait(log, START) is None
    append(log, streamed(3.0))
    assert load_usual_wait(log, START) == pytest.approx(3.0)
