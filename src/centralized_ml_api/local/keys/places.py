"""How a team gets a place, and how often somebody may guess a code. Pure."""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import TYPE_CHECKING

from centralized_ml_api.api.joining import TRIES, TRY_SECONDS, find_network
from centralized_ml_api.local.keys.record import TeamRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

_ADDRESSES = 10_000


class NameTakenError(Exception):
    """A team has this name already, in whatever case."""


class PlacesTakenError(Exception):
    """No place is free."""


def count_taken(records: Sequence[TeamRecord], listed: Collection[str]) -> int:
    """Returns how many places are taken. A team that joined and is in the config by now needs none."""
    return sum(record.joined and record.team not in listed for record in records)


def take_place(
    records: Sequence[TeamRecord], name: str, key: str, *, places: int, listed: Collection[str]
) -> tuple[TeamRecord, ...]:
    """Returns the records with a team that joins.

    The name of a team that once was here is taken too: its key, its limits and its calls are its own.

    Args:
        records: The teams so far.
        name: The name of the new one.
        key: Its key.
        places: How many teams may join.
        listed: The teams of the config.

    Raises:
        NameTakenError: A team has the name.
        PlacesTakenError: No place is free.
    """
    taken = {team.casefold() for team in (*listed, *(record.team for record in records))}
    if name.casefold() in taken:
        raise NameTakenError
    if count_taken(records, listed) >= places:
        raise PlacesTakenError
    return (*records, TeamRecord(name, key, joined=True))


class Tries:
    """The wrong codes of late, by address; of IPv6 by network, of which one machine has all addresses.

    Args:
        now: Returns seconds that only grow.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._wrong: OrderedDict[str, list[float]] = OrderedDict()

    def pause_seconds(self, address: str) -> int:
        """Returns in how many seconds the address may try again; 0 if it may now."""
        late = self._late(find_network(address))
        return math.ceil(late[0] + TRY_SECONDS - self._now()) if len(late) >= TRIES else 0

    def note_wrong(self, address: str) -> None:
        """Notes a wrong code."""
        network = find_network(address)
        self._wrong[network] = [*self._late(network), self._now()]
        self._wrong.move_to_end(network)
        while len(self._wrong) > _ADDRESSES:
            self._wrong.popitem(last=False)

    def _late(self, network: str) -> list[float]:
        return [at for at in self._wrong.get(network, []) if at + TRY_SECONDS > self._now()]
