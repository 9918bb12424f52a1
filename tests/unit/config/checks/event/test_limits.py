"""How a burst and a rate go together, for the event and for its teams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def found(problems_of: Callable[..., Any]) -> Callable[..., Any]:
    """Gives the id, path and fix of each problem of an event with these limits and a team with others."""

    def check(event: dict[str, Any], team: dict[str, Any]) -> list[tuple[str, str, str]]:
        config = {"models": [], "event": {"teams": [{"name": "red", **team}], **event}}
        return [(problem.id, problem.location.path, problem.fix) for problem in problems_of(config)]

    return check


ADD_RATE = 'add "requests_per_second": 10, or remove "burst"'


@pytest.mark.parametrize(
    ("event", "team", "problems"),
    [
        ({"requests_per_second": 5, "burst": 5}, {"burst": 6}, []),
        ({}, {"requests_per_second": 5, "burst": 5}, []),
        ({"burst": 5}, {}, [("C406", "$.event.burst", ADD_RATE)]),
        ({}, {"burst": 5}, [("C406", "$.event.teams[0].burst", ADD_RATE)]),
        ({"burst": 5}, {"requests_per_second": 1, "burst": 5}, [("C406", "$.event.burst", ADD_RATE)]),
        (
            {"requests_per_secnd": 5, "burst": 5},
            {},
            [("C010", "$.event.requests_per_secnd", 'write "requests_per_second"')],
        ),
        ({"requests_per_second": 5.5, "burst": 5}, {}, [("C407", "$.event.burst", "write 6 or more")]),
        ({"requests_per_second": 6}, {"burst": 5}, [("C407", "$.event.teams[0].burst", "write 6 or more")]),
        ({"requests_per_second": 6}, {"requests_per_second": 5, "burst": 5}, []),
    ],
)
def test_a_burst_needs_a_rate_and_is_at_least_as_large(
    event: dict[str, Any],
    team: dict[str, Any],
    problems: list[tuple[str, str, str]],
    found: Callable[..., Any],
) -> None:
    assert found(event, team) == problems


ADD_TEAMS = 'add "teams": ["red", "blue"], or remove "requests_at_once"'
C409 = [("C409", "$.event.requests_at_once", ADD_TEAMS)]


@pytest.mark.parametrize(
    ("teams", "problems"),
    [
        ({}, C409),
        ({"teams": []}, C409),
        ({"teams": ["red"]}, []),
        ({"teams": [{"name": "red", "requests_at_once": 1}]}, []),
        ({"teems": ["red"]}, [("C010", "$.event.teems", 'write "teams"')]),
    ],
)
def test_calls_at_once_are_those_of_a_team(
    teams: dict[str, Any], problems: list[tuple[str, str, str]], problems_of: Callable[..., Any]
) -> None:
    found = problems_of({"models": [], "event": {"requests_at_once": 4, **teams}})
    assert [(problem.id, problem.location.path, problem.fix) for problem in found] == problems
