"""What somebody wrote by hand, or another version: read as far as it has the form, or told."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from centralized_ml_api.aws.event.grants import read_grants
from centralized_ml_api.aws.event.join_item import JoinItemError, read_join_item
from centralized_ml_api.aws.event.keys import _read_until
from centralized_ml_api.aws.organizer.board_document import read_spent
from centralized_ml_api.aws.stack.stored import read_count, read_object, read_texts
from centralized_ml_api.aws.usage.spent_tokens import add_days
from centralized_ml_api.organizer.grant import Grant

DOOR: dict[str, Any] = {
    "code": {"S": "code"},
    "closed": {"BOOL": False},
    "taken": {"N": "1"},
    "names": {"M": {"owls": {"S": "Owls"}}},
    "places": {"M": {"owls": {"N": "0"}}},
    "receipts": {"M": {}},
}


@pytest.mark.parametrize("text", ["", "Lunch", "[1]", '"Lunch"', "1", "null", "{", "[" * 100_000])
def test_what_is_no_object_is_none(text: str) -> None:
    assert read_object(text) is None


def test_an_object_and_its_texts_are_read() -> None:
    read = read_object('{"a": "b", "c": 1, "d": null}')
    assert read == {"a": "b", "c": 1, "d": None}
    assert (read_texts(read), read_texts(None), read_texts(["a"])) == ({"a": "b"}, {}, {})


@pytest.mark.parametrize(
    ("item", "count"),
    [
        ({"n": {"N": "12"}}, 12),
        ({}, 0),
        ({"n": {"S": "12"}}, 0),
        ({"n": {"N": "1.5"}}, 0),
        ({"n": {"N": "many"}}, 0),
        ({"n": "12"}, 0),
        ({"n": None}, 0),
    ],
)
def test_a_count_that_is_none_counts_nothing(item: dict[str, Any], count: int) -> None:
    assert read_count(item, "n") == count


def owned(owner: str, span: str, **more: Any) -> dict[str, Any]:
    return {"holder": {"S": owner}, "span": {"S": span}, **more}


def test_items_of_another_form_take_nothing_from_the_others() -> None:
    counted = [
        owned("team#red", "counted#2026-06-01#gpt", call_count={"N": "2"}, tokens_in={"S": "many"}),
        owned("team#red", "counted#2026-06-02#gpt", call_count={"N": "1"}, tokens_in={"N": "5"}),
    ]
    (spent,) = add_days(counted, date(2026, 6, 1))
    assert (spent.calls, spent.tokens.read) == (3, 5)
    granted = [owned("team#red", "granted", tokens={"N": "7"}, nanodollars={"S": "x"})]
    assert read_grants([*granted, owned("team#blue", "granted", tokens={"BOOL": True})]) == {
        "red": Grant(0, 7)
    }
    used = [owned("team#red", "event", used_tokens={"S": "x"}, used_nanodollars={"N": "3"})]
    assert read_spent(used).used["team#red", "event", "nanodollars"] == 3


@pytest.mark.parametrize(
    ("description", "until"),
    [
        ("Replaced; works until 2030-06-01T12:00:00Z", datetime(2030, 6, 1, 12, tzinfo=UTC)),
        ("Replaced; works until 2030-06-01T12:00:00", datetime(2030, 6, 1, 12, tzinfo=UTC)),
        ("Replaced; works until tomorrow", None),
        ("The key of Ada's laptop", None),
        ("", None),
    ],
)
def test_the_description_of_a_key_may_be_anybodys(description: str, until: datetime | None) -> None:
    assert _read_until(description) == until


def test_who_has_joined_is_read() -> None:
    assert read_join_item(DOOR).places == {"owls": 0}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"receipts": None}, "receipts"),
        ({"taken": {"S": "one"}}, "N"),
        ({"taken": {"N": "one"}}, "one"),
        ({"closed": {"N": "0"}}, "BOOL"),
        ({"names": {"M": "Owls"}}, "items"),
        ({"places": {"M": {}}}, "no place for owls"),
    ],
)
def test_of_who_has_joined_nothing_is_guessed(change: dict[str, Any], reason: str) -> None:
    changed = {name: value for name, value in {**DOOR, **change}.items() if value is not None}
    with pytest.raises(JoinItemError, match=reason):
        read_join_item(changed)
