"""Measures how long calls run without progress, on a machine that may have too little time for them.

A call that waits for a core does not hang: on a machine with ten programs for each core it takes ten times as
long as alone.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST_STRETCH = 10.0
"""How many times as long a call may take on a busy machine: one that computes for ever must end there too."""

_NANOSECONDS = 1e9
_TASKS = Path("/proc/self/task")


def read_waited_seconds(thread: int, tasks: Path = _TASKS) -> float:
    """Returns for how many seconds a thread was ready to run and had no core; 0 where nothing says that.

    Source: https://docs.kernel.org/scheduler/sched-stats.html (the second number: nanoseconds in a run queue)

    Args:
        thread: Its native id.
        tasks: Has a folder for each thread of this process.
    """
    try:
        return int((tasks / str(thread) / "schedstat").read_text(encoding="ascii").split()[1]) / _NANOSECONDS
    except (
        OSError,
        ValueError,
        IndexError,
    ):  # no Linux, no such statistics, no such thread
        return 0.0


class CallClock:
    """Tells how long calls run without progress.

    Args:
        now: Returns seconds that only grow.
        waited: Returns for how many seconds a thread has waited for a core so far.
    """

    def __init__(
        self,
        now: Callable[[], float] = time.monotonic,
        waited: Callable[[int], float] = read_waited_seconds,
    ) -> None:
        self._now = now
        self._waited = waited
        self._begun: dict[int, tuple[float, float]] = {}

    def stalled_seconds(self, thread: int, progress_at: float) -> float:
        """Returns the seconds since a call last progressed, less those in which its thread had no core.

        At least a tenth of the seconds count. Ask often: waiting counts from the first question on.

        Args:
            thread: The native id of the thread that runs the call.
            progress_at: When the call last progressed.
        """
        waited = self._waited(thread)
        since, waited_before = self._begun.get(thread, (None, 0.0))
        if since != progress_at:
            waited_before = waited
            self._begun[thread] = progress_at, waited
        elapsed = self._now() - progress_at
        return max(elapsed - (waited - waited_before), elapsed / LONGEST_STRETCH)
