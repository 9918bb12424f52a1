"""What `GET /v1/usage` says of a team's day; limits in tokens and dollars are in `test_spending_cases`."""

from __future__ import annotations

import pytest

from centralized_ml_api.local.admission.team_usage import describe_day

NOON = 1_780_315_200.0


@pytest.mark.parametrize(("used", "left"), [(0, 9), (4, 5), (9, 0), (12, 0)])
def test_a_day_has_the_calls_that_nobody_has_sent_and_ends_at_midnight(used: int, left: int) -> None:
    assert describe_day(9, used, NOON) == {
        "of": "team",
        "unit": "requests",
        "period": "day",
        "limit": 9,
        "left": left,
        "resets": "2026-06-02T00:00:00Z",
    }
