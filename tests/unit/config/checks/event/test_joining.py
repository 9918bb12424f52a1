"""Places for teams that join: their shape, their limits, the path that they take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

ECHO = {"name": "echo", "integration": {"type": "api"}}


@pytest.fixture
def found(problems_of: Callable[..., Any]) -> Callable[..., Any]:
    """Gives the id and path of each problem of an event with these places."""

    def check(join: Any, **event: Any) -> list[tuple[str, str]]:
        config = {"models": [], "endpoints": [ECHO], "event": {"join": join, **event}}
        return [(problem.id, problem.location.path) for problem in problems_of(config)]

    return check


@pytest.mark.parametrize(
    "join",
    [
        {"teams": 1},
        {"teams": 500, "code": "HERON-42", "until": "2030-06-01T11:00:00Z"},
        {"teams": 40, "limits": {"requests_per_second": 5, "burst": 10, "models": ["echo"]}},
        {"teams": 40, "until": "2020-06-01T11:00:00Z"},
    ],
)
def test_places_are_fine(join: Any, found: Callable[..., Any]) -> None:
    assert found(join) == []


@pytest.mark.parametrize(
    ("join", "problem"),
    [
        ({}, ("C011", "$.event.join.teams")),
        ({"teams": 0}, ("C014", "$.event.join.teams")),
        ({"teams": 501}, ("C014", "$.event.join.teams")),
        ({"teams": 4, "code": "short"}, ("C015", "$.event.join.code")),
        ({"teams": 4, "code": "HERON--42"}, ("C015", "$.event.join.code")),
        ({"teams": 4, "code": "HERON 42"}, ("C015", "$.event.join.code")),
        ({"teams": 4, "code": "H" * 33}, ("C015", "$.event.join.code")),
        ({"teams": 4, "until": "11:00"}, ("C403", "$.event.join.until")),
        ({"teams": 4, "limits": {"burst": 5}}, ("C406", "$.event.join.limits.burst")),
        ({"teams": 4, "limits": {"models": ["eco"]}}, ("C402", "$.event.join.limits.models[0]")),
        ({"teams": 4, "limits": {"name": "red"}}, ("C010", "$.event.join.limits.name")),
    ],
)
def test_what_is_wrong_with_places_is_found(
    join: Any, problem: tuple[str, str], found: Callable[..., Any]
) -> None:
    assert found(join) == [problem]


def test_limits_and_a_start_need_no_listed_team_beside_places(found: Callable[..., Any]) -> None:
    event = {"starts": "2030-06-01T09:00:00Z", "requests_at_once": 4, "pot": {"tokens": 5}}
    assert found({"teams": 4}, **event) == [("C419", "$.endpoints[0].name")], "echo reports no tokens"


def test_no_entry_stands_where_teams_join(problems_of: Callable[..., Any]) -> None:
    named = {"models": [], "endpoints": [{**ECHO, "name": "join"}]}
    assert not problems_of(named)
    (problem,) = problems_of({**named, "event": {"join": {"teams": 4}}})
    assert (problem.id, problem.location.path) == ("C420", "$.endpoints[0].name")
