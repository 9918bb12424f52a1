from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from centralized_ml_api.local.envoy.rate_limits import (
    QUOTA_FILTER,
    RATE_FILTER,
    THROTTLE_FILTER,
    build_left_headers,
    build_rate_limits,
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


def pauses_of(throttles: dict[str, Throttle]) -> list[dict[str, str]]:
    """Returns the headers that say to teams when to come back."""
    teams = tuple(TeamAccess(name, (), throttle=throttle) for name, throttle in throttles.items())
    limit = build_rate_limits(replace(FREE, teams=teams))[RATE_FILTER]
    return [each["header"] for each in limit["response_headers_to_add"]]


def test_teams_with_the_same_pause_are_not_looked_up() -> None:
    assert pauses_of(dict.fromkeys(("red", "blue"), Throttle(0.5, 1))) == [
        {"key": "retry-after", "value": "2"}
    ]


def test_each_team_is_told_its_own_pause_and_only_the_patient_ones_not_to_wait() -> None:
    headers = pauses_of({"red": Throttle(1, 1), "blue": Throttle(1, 1), "green": Throttle(0.01, 1)})
    assert [(header["key"], header["value"].partition(" in ")[2]) for header in headers] == [
        ("retry-after", '["blue", "red"] ? "1" : "")%'),
        ("retry-after", '["green"] ? "100" : "")%'),
        ("x-should-retry", '["green"] ? "false" : "")%'),
    ]


@pytest.mark.parametrize("name", ["team-{}", "{}-" + 60 * "é"])
def test_no_header_of_thousands_of_teams_is_longer_than_envoy_takes(name: str) -> None:
    names = [name.format(number) for number in range(5000)]
    rates = {team: Throttle(1 + number % 2 / 3, 1) for number, team in enumerate(names)}
    slower = {team: Throttle(0.3, 1) for team in names[:2500]}
    days = tuple(TeamAccess(team, (), requests_per_day=10**6) for team in names)
    gateway = replace(FREE, teams=days, quotas=Quotas(MIDNIGHT, tuple((team, 7) for team in names)))
    left = [each["append"]["header"] for each in build_left_headers(gateway) if "append" in each]
    pauses = pauses_of({**rates, **slower})
    assert max(len(header["value"].encode()) for header in (*pauses, *left)) < 16 * 1024
    for headers, key in ((pauses, "retry-after"), (left, "x-ratelimit-limit-requests")):
        said = "".join(header["value"] for header in headers if header["key"] == key)
        assert all(json.dumps(team) in said for team in names)
