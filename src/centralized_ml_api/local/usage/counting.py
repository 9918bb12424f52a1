"""Calls -> how many there were of each sort. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from centralized_ml_api.local.usage.line import Call

Sort = tuple[int, str, str, int, int]
"""Hour, team, model, status, bucket of the latency."""


@dataclass(slots=True)
class Count:
    """The calls of one sort; `first` and `last` are in seconds since the epoch."""

    first: float
    last: float
    requests: int = 0
    bytes_in: int = 0
    bytes_out: int = 0

    def add(self, call: Call) -> None:
        """One call more."""
        self.first = min(self.first, call.started)
        self.last = max(self.last, call.started)
        self.requests += 1
        self.bytes_in += call.bytes_in
        self.bytes_out += call.bytes_out

    def as_row(self) -> tuple[int, int, int, float, float]:
        """The last columns of the table `calls`."""
        return (self.requests, self.bytes_in, self.bytes_out, self.first, self.last)


def count_calls(calls: Iterable[Call]) -> dict[Sort, Count]:
    """How many calls there are of each sort."""
    counts: dict[Sort, Count] = {}
    for call in calls:
        sort = (call.hour, call.team, call.model, call.status, call.bucket)
        counts.setdefault(sort, Count(call.started, call.started)).add(call)
    return counts
