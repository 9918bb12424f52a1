from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from centralized_ml_api.local.envoy.rate_limits import (
    QUOTA_FILTER,
    RATE_FILTER,
    THROTTLE_FILTER,
    build_left_headers,
    list_active_filters,
)
from centralized_ml_api.local.gateway import Gateway, Quotas, TeamAccess
from centralized_ml_api.plan.event import Throttle

RATE = Throttle(1, 2)
MIDNIGHT = datetime(2030, 6, 2, tzinfo=UTC)
FREE = Gateway((), (), teams=(TeamAccess("red", ("red-key",)),))


@pytest.mark.parametrize(
    ("gateway", "limiting"),
    [
        (FREE, []),
        (replace(FREE, throttle=RATE), [THROTTLE_FILTER]),
        (replace(FREE, quotas=Quotas(MIDNIGHT, ())), []),
        (replace(FREE, quotas=Quotas(MIDNIGHT, (("red", 0),))), [QUOTA_FILTER]),
        (replace(FREE, teams=(*FREE.teams, TeamAccess("blue", (), throttle=RATE))), [RATE_FILTER]),
    ],
    ids=["nothing", "the whole API", "no team's day", "a team's day", "a team's rate"],
)
def test_a_filter_that_limits_nothing_is_in_no_calls_way(gateway: Gateway, limiting: list[str]) -> None:
    assert list_active_filters(gateway) == limiting


def test_only_a_limited_day_is_told_on_responses() -> None:
    limited = TeamAccess("blue", (), requests_per_day=9)
    days = replace(FREE, teams=(*FREE.teams, limited), quotas=Quotas(MIDNIGHT, (("blue", 4),)))
    limit = build_left_headers(days)[1]["append"]["header"]
    assert limit["key"] == "x-ratelimit-limit-requests"
    assert '{"blue": 9}' in limit["value"]
    assert build_left_headers(replace(days, quotas=Quotas(MIDNIGHT, ()))) == []
    assert build_left_headers(FREE) == []
