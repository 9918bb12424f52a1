"""How a team joins: the code, the name that it chooses, what its call brings and what it is answered.

Pure, except that new codes are random. Every target follows these rules; AWS runs this file in its function.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import re
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.qr import MOST_CHARACTERS, draw_qr
from centralized_ml_api.config.team_names import is_team_name

if TYPE_CHECKING:
    from collections.abc import Mapping

BODY_BYTES = 4096
"""The largest body of a call by which a team joins."""

LONGEST_JOINED_NAME = 32
"""Shorter than what a config may write: the names stand in tables, and anybody may choose them."""

LONGEST_CODE = 64

TRIES, TRY_SECONDS = 20, 60
"""So many wrong codes may come from one address in so many seconds: a class may share an address."""

_CODE_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Without those that are read as others: 0 and O, 1, I and L."""

_GROUPS, _GROUP_LETTERS = 2, 4
_IPV6 = 6
_IPV6_NETWORK_BITS = 64
_LONGEST_NAME = 512


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """What a team sends: `address` is that of the API as the caller sees it, empty without one."""

    code: str = field(repr=False)
    name: str
    address: str


def read_request(body: bytes) -> JoinRequest | None:
    """Reads `{"code", "name", "address"?}`; returns None if the body is something else."""
    try:
        written = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(written, dict):
        return None
    code = _read_text(written, "code", LONGEST_CODE)
    name = _read_text(written, "name", _LONGEST_NAME)
    address = _read_text({"address": "", **written}, "address", MOST_CHARACTERS)
    # Nobody joins whose answer cannot be made: an address must fit into a QR code.
    if code is None or name is None or address is None or not address.isascii():
        return None
    return JoinRequest(code, name, address.rstrip("/"))


def describe_joined(team: str, key: str, address: str) -> dict[str, Any]:
    """Builds the answer: the team and its key.

    With an `address` it also has as `qr` the `path` of a QR code and the `size` of its side: the code opens
    the page there, signed in.

    Args:
        team: The name of the team.
        key: Its new key.
        address: The address of the page, without a slash at the end; empty for no code.
    """
    answer: dict[str, Any] = {"team": team, "key": key}
    if address:
        drawn = draw_qr(f"{address}/#key={key}")
        answer["qr"] = {"path": drawn.path, "size": drawn.size}
    return answer


def new_code() -> str:
    """Returns a code such as `7KQ2-WX4Z`: 40 random bits, easily read from a projector."""
    groups = ("".join(secrets.choice(_CODE_LETTERS) for _ in range(_GROUP_LETTERS)) for _ in range(_GROUPS))
    return "-".join(groups)


def is_code(given: str, code: str) -> bool:
    """Returns whether a code was given, in whatever case and with hyphens and spaces anywhere.

    Takes the same time whatever is wrong.
    """
    return hmac.compare_digest(_digest(given), _digest(code))


def clean_name(written: str) -> str | None:
    """Returns the name without what surrounds it and with single spaces; None if no team may have it."""
    name = re.sub(" +", " ", written).strip(" ")
    return name if len(name) <= LONGEST_JOINED_NAME and is_team_name(name) else None


def find_network(address: str) -> str:
    """Returns the address whose tries count together: of IPv6 the network, as one machine has all of it."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == _IPV6:
        return str(ipaddress.ip_network((parsed, _IPV6_NETWORK_BITS), strict=False))
    return str(parsed)


def _digest(code: str) -> bytes:
    letters = "".join(letter for letter in code.upper() if letter not in "- ")
    return hashlib.sha256(letters.encode(errors="surrogatepass")).digest()


def _read_text(written: Mapping[str, Any], name: str, longest: int) -> str | None:
    value = written.get(name)
    return value if isinstance(value, str) and len(value) <= longest else None
