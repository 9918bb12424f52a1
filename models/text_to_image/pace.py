"""Whether an image will be ready before nobody waits for it any more."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from settings import API_WAITS_SECONDS


class TooSlowError(Exception):
    """The request asks for more than this machine can do in time; the server answers 400."""

    status_code = 400


@dataclass(slots=True)
class Pace:
    """Counts the steps of a request; begins when it is made.

    Attributes:
        limit_seconds: When the last image must be drawn.
        steps: The request's `steps`.
        images: How many are drawn.
    """

    limit_seconds: float
    steps: int
    images: int
    _started_at: float = field(default_factory=time.monotonic)
    _first_done_at: float = 0.0
    _done: int = 0

    def step(self, steps_an_image: int) -> None:
        """One step is done; of `steps_an_image`, since some samplers ask the model twice for each.

        Raises:
            TooSlowError: those that are left would end after the limit.
        """
        now = time.monotonic()
        self._done += 1
        if self._done == 1:  # says nothing of the others: it also warms up
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
