"""Reads the arguments of an organizer's acts: an end, words to say, the name of an entry or a team. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.notices import clean_words
from centralized_ml_api.config.checks.event.ends import parse_instant
from centralized_ml_api.config.revise import Until
from centralized_ml_api.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_MINUTES = 60 * 24 * 30


def read_until(arguments: Mapping[str, Any]) -> Until:
    """Reads the new end of the event.

    Raises:
        UsageError: There is none.
    """
    minutes, until = arguments.get("minutes"), arguments.get("until")
    if isinstance(minutes, int) and 0 < minutes <= LONGEST_MINUTES:
        return Until(later=timedelta(minutes=minutes))
    instant = parse_instant(until) if isinstance(until, str) else None
    if instant is None:
        raise UsageError("`minutes` or `until` is missing")
    return Until(instant=instant)


def read_words(arguments: Mapping[str, Any]) -> str:
    """Reads what an organizer says, maybe nothing.

    Raises:
        UsageError: It is no text, too long, or cannot be shown.
    """
    words = arguments.get("words", "")
    if not isinstance(words, str):
        raise UsageError("`words` is no text")
    return clean_words(words)


def read_text(arguments: Mapping[str, Any], name: str) -> str:
    """Reads an argument that must be a text.

    Raises:
        UsageError: It is not there.
    """
    value = arguments.get(name)
    if not isinstance(value, str) or not value:
        raise UsageError(f"`{name}` is missing")
    return value
