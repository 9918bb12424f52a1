"""What a caller sees of a fetch while it runs, and how the caller ends it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from centralized_ml_api.errors import WeightsError

Stage = Literal["waiting", "downloading", "unpacking", "verifying"]


class FetchCancelledError(WeightsError):
    """The caller ended the fetch; nothing went wrong."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a fetch is.

    `waiting` means that another process fetches the same weights. `total_bytes` is None while unknown.
    """

    stage: Stage
    done_bytes: int = 0
    total_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Watch:
    """The caller's two ends: where progress goes, and the event that ends the fetch."""

    progress: Callable[[Progress], None]
    cancelled: threading.Event

    def report(self, stage: Stage, done_bytes: int = 0, total_bytes: int | None = None) -> None:
        """Tells the caller how far the fetch is.

        Raises:
            FetchCancelledError: the caller has had enough.
        """
        self.check()
        self.progress(Progress(stage, done_bytes, total_bytes))

    def check(self) -> None:
        """Raises `FetchCancelledError` when the caller has had enough."""
        if self.cancelled.is_set():
            raise FetchCancelledError("the fetch was cancelled")

    def pause(self, seconds: float) -> None:
        """Waits, but not for a caller who has had enough."""
        self.cancelled.wait(seconds)
        self.check()
