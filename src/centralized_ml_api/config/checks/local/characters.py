"""Which characters an address or a path may hold, for C304 and C305."""

from __future__ import annotations

import re

_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2}).{0,2}")


def wrong_characters(written: str) -> str:
    """Why a client or server would refuse the text in the first line of a request; empty when it would not.

    Source: RFC 3986, sections 2.1 (percent escapes) and 2.2 (ASCII only).
    """
    if any(character.isspace() for character in written):
        return "it has a space in it"
    if not written.isprintable() and written.isascii():
        return "it has a control character in it"
    if not written.isascii():
        return "it has a character outside of ASCII"
    escape = _BAD_ESCAPE.search(written)
    return f"{escape[0]} is no percent escape" if escape else ""
