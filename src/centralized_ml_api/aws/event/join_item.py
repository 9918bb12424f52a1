"""Who has joined a stack, and whether more may: one item of a table of DynamoDB. Pure.

One item, so that one conditional update decides everything: whether joining is open, whether the name is
free, and which place is the next. The function that lets teams join runs this file as it is.

    code           S     the code that was made here
    named_code     S     the code that the config names; missing where it names none
    closed         BOOL  whether an organizer has closed joining
    taken          N     how many places are taken; they are taken in their order
    names          M     the names of the teams that joined, by these names in lower case
    places         M     the numbers of their places, from 0 on, likewise
    receipts       M     which call told the key, likewise; empty for a team that has not been told its key

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html (400 KB an item: a
team takes less than 200 bytes)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

KEY = {"holder": {"S": "door"}, "span": {"S": "now"}}
"""The key of the item."""

Item = Mapping[str, Any]
"""An item as DynamoDB writes it."""


@dataclass(frozen=True, slots=True)
class JoinItem:
    """The item. `names`, `places` and `receipts` are by the names of the teams in lower case."""

    code: str = field(repr=False)
    names_code: bool
    is_closed: bool
    taken: int
    names: Mapping[str, str]
    places: Mapping[str, int]
    receipts: Mapping[str, str]


class JoinItemError(Exception):
    """The item has another form: somebody edited it, or another version wrote it."""


def read_join_item(item: Item) -> JoinItem:
    """Reads the item from the answer of DynamoDB.

    Raises:
        JoinItemError: It has another form; who has which place must not be guessed.
    """
    named = "named_code" in item
    try:
        read = JoinItem(
            code=item["named_code" if named else "code"]["S"],
            names_code=named,
            is_closed=item["closed"]["BOOL"],
            taken=int(item["taken"]["N"]),
            names={team: value["S"] for team, value in item["names"]["M"].items()},
            places={team: int(value["N"]) for team, value in item["places"]["M"].items()},
            receipts={team: value["S"] for team, value in item["receipts"]["M"].items()},
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise JoinItemError(f"{type(error).__name__}: {error}") from error
    if placeless := read.names.keys() - read.places.keys():
        raise JoinItemError(f"no place for {', '.join(sorted(placeless))}")
    return read
