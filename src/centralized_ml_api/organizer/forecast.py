"""Foresees when limits are used up, if what they limit goes on as in the last minutes."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

LOOK_SECONDS = 30.0
"""How far looks lie apart at least: they are kept for minutes, and there may be thousands of limits."""

LEAST_SECONDS, MOST_SECONDS = 60.0, 300.0
"""How long one has to have looked, and how long ago the present pace begins."""

FAR_MINUTES = 60
"""What is used up later than that nobody needs to know now."""

Used = Mapping[Any, float]
"""How much of each limit is used, by what names the limit and its span of time; what is not there is zero."""


@dataclass(slots=True)
class Forecast:
    """What was used at the looks of the last minutes; instants are in seconds since the epoch."""

    _looks: deque[tuple[float, Used]] = field(default_factory=deque)

    def note(self, used: Used, at: float) -> None:
        """Takes what is used at an instant, and forgets what is too old; a clock that was set begins anew."""
        if self._looks and self._looks[-1][0] > at:
            self._looks.clear()
        while self._looks and self._looks[0][0] < at - MOST_SECONDS:
            self._looks.popleft()
        if not self._looks or at - self._looks[-1][0] >= LOOK_SECONDS:
            self._looks.append((at, used))

    def minutes_left(
        self, limit: Hashable, used: float, most: float, at: float, *, until: float = math.inf
    ) -> int | None:
        """Returns in how many minutes a limit is used up at the present pace, rounded up.

        None if that is not within the hour, nor before `until`; if it is used up already; and if one has not
        looked for long enough.

        Args:
            limit: What names it in `note`.
            used: What is used of it at `at`.
            most: How much of it there is.
            at: The present instant.
            until: When it begins anew, or is no longer needed.
        """
        first = next(((then, looked) for then, looked in self._looks if then >= at - MOST_SECONDS), None)
        if first is None or at - first[0] < LEAST_SECONDS or used >= most:
            return None
        then, looked = first
        grown = used - looked.get(limit, 0)
        if grown <= 0:
            return None
        seconds = (most - used) * (at - then) / grown
        minutes = math.ceil(seconds / 60)
        return minutes if minutes <= FAR_MINUTES and at + seconds < until else None
