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
MOST_HEADERS = 10
"""So many Envoy adds to what a filter refuses."""

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


def waiting(seconds: int) -> Throttle:
    """A rate after which a team is told to come back after so many seconds."""
    return Throttle(1 / (seconds - 0.5), 1)


def test_teams_with_the_same_pause_are_not_looked_up() -> None:
    assert pauses_of(dict.fromkeys(("red", "blue"), Throttle(0.5, 1))) == [
        {"key": "retry-after", "value": "2"}
    ]


def say_to(team: str, headers: list[dict[str, str]]) -> dict[str, str]:
    """Returns what these headers say to a team, as Envoy reads them: the later of two values."""
    said = {}
    for header in headers:
        is_in, listed, rest = header["value"].partition(" in ")
        if not listed:
            said[header["key"]] = header["value"]
            continue
        teams, end = json.JSONDecoder().raw_decode(rest)
        if is_in == '%CEL(request.headers["x-mlapi-team"]' and team in teams:
            is_looked_up = rest[end:].startswith(f" ? {json.dumps(teams)}[")
            said[header["key"]] = teams[team] if is_looked_up else rest[end:].split('"')[1]
    return said


def test_each_team_is_told_its_own_pause_and_only_the_patient_ones_not_to_wait() -> None:
    headers = pauses_of({"red": Throttle(1, 1), "blue": Throttle(1, 1), "green": Throttle(0.01, 1)})
    assert headers == [
        {"key": "retry-after", "value": "1"},
        {
            "key": "retry-after",
            "value": '%CEL(request.headers["x-mlapi-team"] in {"green": "100"}'
            ' ? {"green": "100"}[request.headers["x-mlapi-team"]] : "")%',
        },
        {
            "key": "x-should-retry",
            "value": '%CEL(request.headers["x-mlapi-team"] in ["green"] ? "false" : "")%',
        },
    ]
    assert say_to("red", headers) == {"retry-after": "1"}
    assert say_to("green", headers) == {"retry-after": "100", "x-should-retry": "false"}


def test_teams_that_must_all_wait_for_long_are_all_told_not_to() -> None:
    headers = pauses_of({"red": waiting(90), "blue": waiting(90), "green": waiting(80)})
    assert say_to("red", headers) == {"retry-after": "90", "x-should-retry": "false"}
    assert say_to("green", headers) == {"retry-after": "80", "x-should-retry": "false"}


def test_as_many_pauses_as_teams_are_no_more_headers_than_envoy_takes() -> None:
    pauses = {f"team-{seconds}": seconds for seconds in range(1, 121)}
    headers = pauses_of({team: waiting(seconds) for team, seconds in pauses.items()})
    assert len(headers) <= MOST_HEADERS
    for team, seconds in pauses.items():
        stops = {"x-should-retry": "false"} if seconds > 60 else {}
        assert say_to(team, headers) == {"retry-after": str(seconds), **stops}, team


@pytest.mark.parametrize("name", ["team-{}", "{}-" + 60 * "é"])
def test_no_header_of_thousands_of_teams_is_longer_than_envoy_takes(name: str) -> None:
    names = [name.format(number) for number in range(5000)]
    own = {team: 2 + number % 7 for number, team in enumerate(names[:150])}
    days = tuple(TeamAccess(team, (), requests_per_day=10**6) for team in names)
    gateway = replace(FREE, teams=days, quotas=Quotas(MIDNIGHT, tuple((team, 7) for team in names)))
    left = [each["append"]["header"] for each in build_left_headers(gateway) if "append" in each]
    pauses = pauses_of({team: waiting(own.get(team, 1)) for team in names})
    assert max(len(header["value"].encode()) for header in (*pauses, *left)) < 16 * 1024
    assert len(pauses) <= MOST_HEADERS
    assert all(say_to(team, pauses) == {"retry-after": str(own.get(team, 1))} for team in names)
    said = "".join(header["value"] for header in left if header["key"] == "x-ratelimit-limit-requests")
    assert all(json.dumps(team) in said for team in names)


def test_more_teams_than_can_be_told_apart_are_told_the_longest_pause() -> None:
    rates = {f"team-{number}": waiting(1 + number % 3) for number in range(9000)}
    assert pauses_of(rates) == [{"key": "retry-after", "value": "3"}]
