"""Rosters: how their teams get places."""

from __future__ import annotations

import pytest

from centralized_ml_api.api.keys import is_key, new_key
from centralized_ml_api.api.roster import RosterRow
from centralized_ml_api.errors import UsageError
from centralized_ml_api.local.keys.record import TeamRecord
from centralized_ml_api.local.keys.roster import add_roster

KEY = new_key()


def test_new_teams_get_places_and_those_that_are_there_stay() -> None:
    red = TeamRecord("red", KEY, joined=True)
    rows = [RosterRow(2, "red"), RosterRow(3, "listed"), RosterRow(4, "Owls"), RosterRow(5, "Owls")]
    first, owls = add_roster((red,), rows, places=2, listed=["listed"])
    assert first == red
    assert (owls.team, owls.joined, is_key(owls.key or "")) == ("Owls", True, True)
    (brings,) = add_roster((), [RosterRow(2, "Owls", KEY)], places=1, listed=[])
    assert brings.key == KEY


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([RosterRow(2, "a"), RosterRow(3, "b"), RosterRow(4, "c")], "line 4 of the roster: all 3 places"),
        ([RosterRow(2, "RED")], "line 2 of the roster: there is a team like RED already"),
        ([RosterRow(2, "a", "KEY")], "line 2 of the roster: another team has the key of a"),
    ],
)
def test_nothing_is_added_where_not_all_can_be(rows: list[RosterRow], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        add_roster((TeamRecord("red", "KEY", joined=True),), rows, places=3, listed=[])
    assert said in caught.value.message
    assert "KEY" not in caught.value.message
