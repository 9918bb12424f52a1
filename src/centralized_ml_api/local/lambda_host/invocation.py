"""One call of a function, and how it can end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Returned:
    """The handler returned; `payload` is its result as JSON."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Failed:
    """No result: an HTTP status and the organizer's reason in words, without a traceback."""

    status: int
    reason: str


Outcome = Returned | Failed


@dataclass(frozen=True, slots=True)
class Invocation:
    """An event on its way to a worker; the first to know the outcome sets it."""

    request_id: str
    event: bytes
    outcome: asyncio.Future[Outcome] = field(default_factory=asyncio.Future)

    def settle(self, outcome: Outcome) -> None:
        """Sets the outcome unless there is one."""
        if not self.outcome.done():
            self.outcome.set_result(outcome)
