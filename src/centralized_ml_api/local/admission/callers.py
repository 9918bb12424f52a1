"""Who has called an entry lately, how often each calls, and how much of the entry each has had.

Nobody says what a fair part of a model is. It shows in what others take of it: of the places, a caller has
had so many on average. Who has had much more than the others is served after them, until it no longer has.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

ABOUT_SECONDS = 10.0
"""A caller counts as being about for at least this long after its last call."""

NEWCOMER_ABOUT_SECONDS = 60.0
"""So long does one count of which a single call is known, and no pause."""

MOST_ABOUT_SECONDS = 300.0
"""Nobody counts for longer."""

PAUSES = 3.0
"""A caller counts as being about for so many of its usual pauses."""

NEW_PAUSE_PART = 0.25
"""What the last pause adds to the usual one."""

LATELY_SECONDS = 30.0
"""How far an average reaches back: after this long, what was counts about a third."""

MUCH_MORE = 2.0
"""Who has had more than this many times what the others have had, on average, gives way to them."""

GIVES_WAY_SECONDS = 10.0
"""A caller gives way for no longer than this after the end of its last call."""


@dataclass(slots=True)
class Caller:
    """What is known of one caller.

    `seen` is when its last call began or ended, `pause` how long it usually takes from the end of all its
    calls to the next one; None before the second. `places` is how many calls it had under way on average, as
    of `counted`, the moment when their number changed last. `turn` is the number of its last turn.
    """

    seen: float
    counted: float
    pause: float | None = None
    places: float = 0.0
    turn: int = 0

    def come(self, now: float, *, is_busy: bool) -> None:
        """Notes a new call, and the pause before it if no other one was under way or waiting."""
        if not is_busy:
            pause = min(now - self.seen, MOST_ABOUT_SECONDS)
            self.pause = pause if self.pause is None else self.pause + NEW_PAUSE_PART * (pause - self.pause)
        self.seen = now

    def stays_about(self, now: float) -> bool:
        """Returns whether the next call may be expected: judged by its usual pause."""
        usual = NEWCOMER_ABOUT_SECONDS if self.pause is None else PAUSES * self.pause
        return now - self.seen < min(max(usual, ABOUT_SECONDS), MOST_ABOUT_SECONDS)

    def average(self, under_way: int, now: float) -> float:
        """Returns how many calls it had under way on average lately, of which so many still are."""
        return under_way + (self.places - under_way) * math.exp((self.counted - now) / LATELY_SECONDS)

    def count(self, under_way: int, now: float) -> None:
        """Brings the average up to date, before the number of calls under way changes."""
        self.places, self.counted = self.average(under_way, now), now


class Presence:
    """Who is about at a moment: has a call under way or waiting, or may be expected to call again.

    It is found when somebody asks for the first time: with a thousand callers it takes a millisecond, and
    most calls of a model that is not busy do without.

    Args:
        callers: All that are known.
        under_way: How many calls each has under way.
        waiting: Who has calls waiting.
        now: The moment.
    """

    def __init__(
        self,
        callers: Mapping[str, Caller],
        under_way: Mapping[str, int],
        waiting: Collection[str],
        now: float,
    ) -> None:
        self._callers = callers
        self._under_way = under_way
        self._waiting = waiting
        self._now = now

    @cached_property
    def about(self) -> Mapping[str, float]:
        """Who is about, and how many calls each had under way on average lately."""
        return {
            name: caller.average(self._under_way.get(name, 0), self._now)
            for name, caller in self._callers.items()
            if name in self._under_way or name in self._waiting or caller.stays_about(self._now)
        }

    @cached_property
    def giving_way(self) -> frozenset[str]:
        """Who of them gives way: the next call of these waits until the others have none."""
        total, others = sum(self.about.values()), len(self.about) - 1
        return frozenset(
            name
            for name, own in self.about.items()
            if others
            and own > MUCH_MORE * (total - own) / others
            and (name in self._under_way or self._now - self._callers[name].counted < GIVES_WAY_SECONDS)
        )

    def has_others(self, caller: str) -> bool:
        """Returns whether any other caller is about."""
        return len(self.about) > (caller in self.about)
