from __future__ import annotations

from datetime import UTC, datetime, timedelta

from centralized_ml_api.api.event_start import build_start_headers, not_started, render_start

STARTS = datetime(2030, 6, 1, 7, tzinfo=UTC)


def test_the_error_names_the_start_and_the_headers_say_to_wait_for_it() -> None:
    error = not_started(STARTS)
    assert (error.status, error.type, error.code) == (403, "permission_error", "event_not_started")
    assert error.message == "The event has not started: keys work from 2030-06-01T07:00:00Z on."
    assert build_start_headers(STARTS) == (
        ("retry-after", "Sat, 01 Jun 2030 07:00:00 GMT"),
        ("x-should-retry", "false"),
    )


def test_an_organizer_reads_how_long_that_is() -> None:
    assert render_start(STARTS, STARTS - timedelta(hours=2)) == (
        "Starts in 2 h, at 2030-06-01T07:00:00Z; until then keys are refused"
    )
