"""Who may join, and how a team gets a place. Pure, except that new codes are random."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import math
import re
import secrets
from collections import OrderedDict
from typing import TYPE_CHECKING

from centralized_ml_api.config.team_names import is_team_name
from centralized_ml_api.local.keys.record import TeamRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

LONGEST_JOINED_NAME = 32
"""Shorter than what a config may write: the names stand in tables, and anybody may choose them."""

TRIES, TRY_SECONDS = 20, 60.0
"""So many wrong codes may come from one address in so many seconds: a class may share an address."""

_ADDRESSES = 10_000
_CODE_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Without those that are read as others: 0 and O, 1, I and L."""

_GROUPS, _GROUP_LETTERS = 2, 4
_IPV6 = 6
_IPV6_NETWORK_BITS = 64


class NameTakenError(Exception):
    """A team has this name already, in whatever case."""


class PlacesTakenError(Exception):
    """No place is free."""


def new_code() -> str:
    """Returns a code such as `7KQ2-WX4Z`: 40 random bits, easily read from a projector."""
    groups = ("".join(secrets.choice(_CODE_LETTERS) for _ in range(_GROUP_LETTERS)) for _ in range(_GROUPS))
    return "-".join(groups)


def is_code(given: str, code: str) -> bool:
    """Returns whether a code was given, in whatever case and with hyphens and spaces anywhere.

    Takes the same time whatever is wrong.
    """
    return hmac.compare_digest(_digest(given), _digest(code))


def _digest(code: str) -> bytes:
    letters = "".join(letter for letter in code.upper() if letter not in "- ")
    return hashlib.sha256(letters.encode(errors="surrogatepass")).digest()


def clean_name(written: str) -> str | None:
    """Returns the name without what surrounds it and with single spaces; None if no team may have it."""
    name = re.sub(" +", " ", written).strip(" ")
    return name if len(name) <= LONGEST_JOINED_NAME and is_team_name(name) else None


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
        late = self._late(_network(address))
        return math.ceil(late[0] + TRY_SECONDS - self._now()) if len(late) >= TRIES else 0

    def note_wrong(self, address: str) -> None:
        """Notes a wrong code."""
        network = _network(address)
        self._wrong[network] = [*self._late(network), self._now()]
        self._wrong.move_to_end(network)
        while len(self._wrong) > _ADDRESSES:
            self._wrong.popitem(last=False)

    def _late(self, network: str) -> list[float]:
        return [at for at in self._wrong.get(network, []) if at + TRY_SECONDS > self._now()]


def _network(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == _IPV6:
        return str(ipaddress.ip_network((parsed, _IPV6_NETWORK_BITS), strict=False))
    return str(parsed)
