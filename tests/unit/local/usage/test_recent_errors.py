from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from centralized_ml_api.local.usage.log_lines import TAIL_BYTES
from centralized_ml_api.local.usage.recent_errors import (
    RecentError,
    group_errors,
    load_recent_errors,
)
from support.access_log import NOON, append, line

if TYPE_CHECKING:
    from pathlib import Path

START = NOON.timestamp()


def test_alike_errors_are_one_and_the_latest_is_first() -> None:
    later, latest = NOON + timedelta(seconds=30), NOON + timedelta(seconds=60)
    lines = (
        line("red", "chat", 429, at=NOON),
        line("blue", "chat", 200, at=latest),
        line("red", "chat", 429, at=latest),
        line("blue", "chat", 500, at=later, details="via_upstream"),
        line(None, None, 401, at=later, details="direct_response"),
    )
    assert group_errors(lines, START) == (
        RecentError("red", "chat", 429, "", from_model=False, count=2, last=START + 60),
        RecentError("blue", "chat", 500, "", from_model=True, count=1, last=START + 30),
        RecentError("-", "-", 401, "", from_model=False, count=1, last=START + 30),
    )


def test_what_the_admission_service_refused_has_its_code() -> None:
    found = group_errors((line(status=429, admission="admission_refused:budget_exceeded"),), START)
    assert [(error.code, error.from_model) for error in found] == [("budget_exceeded", False)]


def test_a_server_that_breaks_off_is_an_error() -> None:
    details = "upstream_reset_after_response_started{protocol_error}"
    (found,) = group_errors((line("red", "chat", 502, details=details),), START)
    assert (found.model, found.status, found.from_model) == ("chat", 502, False)


def test_calls_to_what_is_paused_say_so() -> None:
    own, other = line(status=503, details="direct_response"), line(None, None, 503, details="direct_response")
    assert [error.code for error in group_errors((own,), START)] == ["paused"]
    assert [error.code for error in group_errors((other,), START)] == [""]


def test_callers_that_hung_up_are_errors_without_a_status() -> None:
    assert [error.status for error in group_errors((line(status=0), line(status=None)), START)] == [0]


def test_older_errors_and_damaged_lines_are_left_out() -> None:
    lines = (b'{"time": "2026-', b"", b"[]", b'{"status": 500}', line(status=500), b'{"status": "many"}')
    assert len(group_errors(lines, START)) == 1
    assert group_errors(lines, START + 1) == ()


def test_only_the_end_of_a_long_log_is_read(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    append(log, line("red", "old", 500))
    number = TAIL_BYTES // len(line("red", "new", 500)) + 1
    append(log, *(line("red", "new", 500) for _ in range(number)))
    (found,) = load_recent_errors(log, START)
    assert (found.model, 0 < found.count <= number) == ("new", True)


def test_without_a_log_there_are_none(tmp_path: Path) -> None:
    assert load_recent_errors(tmp_path / "access.log", START) == ()
