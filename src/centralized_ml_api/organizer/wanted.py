"""Reads what an act of an organizer is to be done with."""

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


def read_until(wanted: Mapping[str, Any]) -> Until:
    """Reads the end that is wanted.

    Raises:
        UsageError: There is none.
    """
    minutes, until = wanted.get("minutes"), wanted.get("until")
    if isinstance(minutes, int) and 0 < minutes <= LONGEST_MINUTES:
        return Until(later=timedelta(minutes=minutes))
    instant = parse_instant(until) if isinstance(until, str) else None
    if instant is None:
        raise UsageError("`minutes` or `until` is missing")
    return Until(instant=instant)


def read_words(wanted: Mapping[str, Any]) -> str:
    """Reads what an organizer says, maybe nothing.

    Raises:
        UsageError: It is no text, too long, or cannot be shown.
    """
    words = wanted.get("words", "")
    if not isinstance(words, str):
        raise UsageError("`words` is no text")
    return clean_words(words)


def read_text(wanted: Mapping[str, Any], name: str) -> str:
    """Reads a text of what is wanted.

    Raises:
        UsageError: It is not there.
    """
    value = wanted.get(name)
    if not isinstance(value, str) or not value:
        raise UsageError(f"`{name}` is missing")
    return value
