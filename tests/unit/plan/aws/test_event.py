"""Who may call what on AWS."""

from __future__ import annotations

import pytest

from centralized_ml_api.errors import DeployError
from centralized_ml_api.plan.aws.event import build_access
from centralized_ml_api.plan.event import EventPlan, TeamPlan

ENTRIES = ("chat", "draw", "read")


def build_event(**lists: tuple[str, ...] | None) -> EventPlan:
    """Teams by name, with their lists."""
    return EventPlan(teams=tuple(TeamPlan(name, None, None, models) for name, models in lists.items()))


def test_a_list_refuses_all_that_is_not_in_it() -> None:
    access = build_access(build_event(red=("draw",), blue=None, green=()), ENTRIES)
    assert [team.name for team in access.teams] == ["red", "blue", "green"]
    assert access.refused == {"red": ("chat", "read"), "green": ENTRIES}


def test_without_lists_nothing_has_to_be_looked_up() -> None:
    assert build_access(build_event(red=None, blue=ENTRIES), ENTRIES).refused == {}


def test_twenty_teams_with_a_model_each_of_ten_fit() -> None:
    names = [f"model-{number}" for number in range(10)]
    event = build_event(**{f"team-{number}": (names[number % 10],) for number in range(20)})
    assert len(build_access(event, names).refused) == 20


@pytest.mark.parametrize(("teams", "entries"), [(1, 100), (50, 20)])
def test_more_than_aws_can_be_told_is_an_error_before_a_deploy(teams: int, entries: int) -> None:
    event = build_event(**{f"team-{number}": () for number in range(teams)})
    with pytest.raises(DeployError, match="too many"):
        build_access(event, [f"model-{number}" for number in range(entries)])
