"""Predicts whether images will be ready while the caller still waits."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from settings import API_WAITS_SECONDS


class TooSlowError(Exception):
    """The request needs more time than the caller waits; the server answers 400."""

    status_code = 400


@dataclass(slots=True)
class Pace:
    """Counts the steps of a request; the clock starts when it is created.

    Attributes:
        limit_seconds: The time by which the last image must be ready.
        steps: The request's `steps`.
        images: The number of images.
    """

    limit_seconds: float
    steps: int
    images: int
    _started_at: float = field(default_factory=time.monotonic)
    _first_done_at: float = 0.0
    _done: int = 0

    def step(self, steps_an_image: int) -> None:
        """Counts a step of `steps_an_image`; some samplers run the model twice for each of `steps`.

        Raises:
            TooSlowError: The remaining steps would end after the limit.
        """
        now = time.monotonic()
        self._done += 1
        if self._done == 1:  # not representative: it includes the warm-up
            self._first_done_at = now
        expected_seconds = now - self._started_at + self._left_seconds(now, steps_an_image)
        if expected_seconds > self.limit_seconds:
            raise TooSlowError(self._explain(expected_seconds))

    def _left_seconds(self, now: float, steps_an_image: int) -> float:
        measured = self._done - 1
        per_step = (now - self._first_done_at) / measured if measured else 0.0
        return per_step * (steps_an_image * self.images - self._done)

    def _explain(self, expected_seconds: float) -> str:
        possible = int(self.steps * self.limit_seconds / expected_seconds)
        advice = f"ask for at most {possible} steps, or" if possible else "ask"
        return (
            f"steps is {self.steps}; that would take about {expected_seconds:.0f} s on this machine, "
            f"and the API waits {API_WAITS_SECONDS:g} s: {advice} for a smaller image or fewer samples"
        )
