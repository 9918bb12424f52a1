"""Remembers calls that were over before they asked: what Envoy tells of a call comes in any order."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable

ENDS_REMEMBERED = 10_000
"""Beyond, the oldest are forgotten."""


class EndedCalls:
    """The calls that are over, and have had neither turn nor reservation."""

    def __init__(self) -> None:
        self._calls: dict[Hashable, None] = {}

    def note(self, call: Hashable) -> None:
        """Remembers the end of a call."""
        self._calls[call] = None
        if len(self._calls) > ENDS_REMEMBERED:
            del self._calls[next(iter(self._calls))]

    def take(self, call: Hashable) -> bool:
        """Returns whether a call is over, and forgets it: an end counts once."""
        is_over = call in self._calls
        self._calls.pop(call, None)
        return is_over
