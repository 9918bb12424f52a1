"""Rosters: what is read of them."""

from __future__ import annotations

import pytest

from centralized_ml_api.api.keys import new_key
from centralized_ml_api.api.roster import RosterRow, read_roster
from centralized_ml_api.errors import UsageError

KEY = new_key()


@pytest.mark.parametrize(
    "text",
    [
        "team,key\nOwls,\nred,KEY\n",
        "Team ; key\r\nOwls;\r\n\r\nred;KEY\r\n",
        'school,key,team\n"North, 2",,Owls\nSouth,KEY, red ',
    ],
)
def test_a_table_is_read_whatever_else_is_in_it(text: str) -> None:
    assert [(row.team, row.key) for row in read_roster(text.replace("KEY", KEY))] == [
        ("Owls", ""),
        ("red", KEY),
    ]


def test_a_row_may_be_shorter_than_the_head_and_no_key_is_shown() -> None:
    (row,) = read_roster("team,key\nOwls")
    assert row == RosterRow(2, "Owls")
    assert KEY not in repr(RosterRow(1, "Owls", KEY))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no column `team`"),
        ("name\nOwls", "no column `team`"),
        ("team\n" + "a" * 100_000, f"line 2 of the roster: '{'a' * 64}…' is no name of a team"),
        ("team\n<b>", "line 2 of the roster: '<b>' is no name of a team"),
        ("team\nOwls\n=1+1", "line 3 of the roster"),
        ("team,key\n,x", "line 2 of the roster: '' is no name"),
        ("team,key\nOwls,CUT", "line 2 of the roster: what is under `key` is no whole key"),
        ('team\n"Owls', "the roster is not CSV"),
    ],
)
def test_what_is_wrong_with_a_roster_is_said_without_a_key(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_roster(text.replace("CUT", KEY[:-1]))
    assert said in caught.value.message
    assert KEY[:-1] not in caught.value.message + caught.value.fix
