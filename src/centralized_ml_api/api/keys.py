"""Team keys: their form, and what every target can do with them.

    mlapi_  43 characters of base 62   6 characters of base 62
    prefix  256 random bits            CRC-32 of everything before it

The prefix lets scanners find keys in code. The checksum lets them tell a key from a lookalike offline.
Source: https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
"""

from __future__ import annotations

import re
import secrets
import string
import zlib
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol

from centralized_ml_api.errors import UsageError
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import timedelta

PREFIX = "mlapi_"
PATTERN = r"mlapi_[0-9A-Za-z]{49}"
"""What scanners of code look for; `is_key` then checks the checksum."""

KEY_HEADER = "x-api-key"
"""Where callers put it; `Authorization: Bearer` is taken too."""

SHOWN_CHARACTERS = 4
"""How much of the end of a key is shown, so that people can tell keys apart."""

NO_TEAMS_FIX = 'list teams in the config, such as "event": {"teams": ["red", "blue"]}, and serve it'
"""What to do where an act needs a team, and an API has none."""

_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_SECRET_CHARACTERS = 43  # 62 ** 43 is the first power of 62 above 2 ** 256
_CHECKSUM_CHARACTERS = 6
_SECRET_BITS = 256
_FORM = re.compile(PATTERN)


def new_key() -> str:
    """Returns a new key that nobody can guess."""
    start = PREFIX + _render_base62(secrets.randbits(_SECRET_BITS), _SECRET_CHARACTERS)
    return start + _checksum(start)


def is_key(text: str) -> bool:
    """Returns whether `text` is a whole key, neither cut off nor mistyped. Pure."""
    return bool(_FORM.fullmatch(text)) and text.endswith(_checksum(text[:-_CHECKSUM_CHARACTERS]))


def hide_keys(text: str) -> str:
    """Returns the text with every key in it hidden, for whatever is logged or shown. Pure."""
    return _FORM.sub(PREFIX + "…", text)


def unknown_team(team: str, teams: Iterable[str]) -> UsageError:
    """Builds the error for a team that is none of `teams`, maybe because the API has none. Pure."""
    known = ", ".join(teams)
    fix = f"choose one of: {known}" if known else NO_TEAMS_FIX
    return UsageError(f"there is no team {team!r}", fix=fix)


def _checksum(start: str) -> str:
    return _render_base62(zlib.crc32(start.encode("ascii")), _CHECKSUM_CHARACTERS)


def _render_base62(number: int, width: int) -> str:
    """Renders the number in that many digits, zeros in front."""
    digits = []
    for _ in range(width):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))


@record
class FormerKey:
    """A key that was replaced and still opens the API `until` then; `ending` are its last characters."""

    ending: str
    until: datetime


@record
class TeamKeys:
    """The keys of one team, without their values.

    `state`: "active", or "revoked" (it has no key until it is given a new one), or "not listed" (the config
    has no such team, so that its keys open nothing). `ending` are the last characters of the current key,
    empty when there is none.
    """

    team: str
    state: Literal["active", "revoked", "not listed"]
    ending: str
    former: tuple[FormerKey, ...] = ()


class Keys(Protocol):
    """The keys of one running or deployed API.

    Every method except `teams` raises `UsageError` for an unknown team. On one machine all of them also work
    while nothing runs.
    """

    def teams(self) -> Sequence[TeamKeys]:
        """Returns every team, in config order."""
        ...

    def show(self, team: str) -> str:
        """Returns the value of the team's current key.

        Raises:
            UsageError: The team has none.
        """
        ...

    def rotate(self, team: str, grace: timedelta) -> str | None:
        """Gives the team a new key; the old one keeps working for `grace`, which may be 0.

        Returns what the team is told of its pause; None if it is not paused, or if pauses know no keys.
        """
        ...

    def revoke(self, team: str, *, former_only: bool = False) -> None:
        """Revokes all keys of the team, or only those that were replaced and still work."""
        ...
