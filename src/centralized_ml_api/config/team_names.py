"""What a team may be called: in a config, and where a team names itself."""

from __future__ import annotations

import re

LONGEST_TEAM_NAME = 64
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._-]{0,62}[A-Za-z0-9])?")


def is_team_name(text: str) -> bool:
    """Returns whether a team may have this name, which is safe in headers, logs, files and HTML. Pure."""
    return bool(_NAME.fullmatch(text))


def suggest_team_name(text: str, longest: int = LONGEST_TEAM_NAME) -> str:
    """Returns what of the text may be a team's name; empty if nothing is left. Pure.

    Args:
        text: What was written.
        longest: The most characters of the name.
    """
    return re.sub(r"[^A-Za-z0-9 ._-]+", "-", text).strip(" ._-")[:longest].strip(" ._-")
