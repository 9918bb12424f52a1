"""What is known of an entry that may sleep, and what is to be done with it. Pure."""

from __future__ import annotations

from typing import Literal

from centralized_ml_api.record import record

Phase = Literal["asleep", "waking", "ready", "closing", "stopping"]
Action = Literal["wake", "close", "open", "stop"]


@record
class Calls:
    """The calls of an entry: those that go on now, those that wait, how many were taken, how many refused."""

    under_way: int = 0
    waiting: int = 0
    taken: int = 0
    refused: int = 0

    def __add__(self, other: Calls) -> Calls:
        """Returns the sum of two counts of different calls."""
        return Calls(
            self.under_way + other.under_way,
            self.waiting + other.waiting,
            self.taken + other.taken,
            self.refused + other.refused,
        )


@record
class Step:
    """What is to be done: start its processes, hold its calls, let them go on, stop its processes."""

    action: Action
    name: str


@record
class View:
    """How an entry is now.

    Attributes:
        phase: What it does.
        failed: Whether it did not wake the last time.
        ready_in: In how many seconds it would answer a call that comes now; None if nobody knows.
        wakes: How often it woke.
        asleep_seconds: How long it has slept in all.
        wake_seconds: How long it takes to wake; None if that was never measured.
        called: Whether it is awake because somebody wanted it; otherwise it started with the API.
        wanted: Whether a call or the user wants it, while it is not ready.
        closed: Whether it may not wake now: it is outside the hours of the event. `ready_in` then says when
            they begin; None if none follow.
    """

    phase: Phase
    failed: bool
    ready_in: float | None
    wakes: int
    asleep_seconds: float
    wake_seconds: float | None = None
    called: bool = False
    wanted: bool = False
    closed: bool = False


class NotAwakeError(Exception):
    """A call whose model does not wake, or not in time.

    Attributes:
        has_failed: Whether it was to wake and did not start.
    """

    def __init__(self, name: str, *, has_failed: bool = False) -> None:
        super().__init__(name)
        self.has_failed = has_failed
