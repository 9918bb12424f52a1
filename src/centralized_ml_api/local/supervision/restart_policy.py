"""Decides when a server that ended is started again, and when to give up. Pure."""

from __future__ import annotations

from centralized_ml_api.record import record

FIRST_DELAY_SECONDS = 0.1
LONGEST_DELAY_SECONDS = 10.0
STEADY_SECONDS = 10.0
FAILED_STARTS = 3


@record
class RestartPolicy:
    """What has happened to a server so far, and what follows from it.

    A server that was never ready is given up after `FAILED_STARTS`: further starts would only hide the
    reason. One that was ever ready is always started again, whatever the machine lacks meanwhile. The delay
    doubles each time, and starts over once the server was ready for `STEADY_SECONDS`.
    """

    failed_starts: int = 0
    delay_seconds: float = FIRST_DELAY_SECONDS
    was_ready: bool = False

    def after_failed_start(self) -> RestartPolicy:
        """Returns the policy after a start in which the server was never ready."""
        return RestartPolicy(self.failed_starts + 1, self._double_delay(), self.was_ready)

    def after_crash(self, ready_seconds: float) -> RestartPolicy:
        """Returns the policy after the server ended, having been ready for `ready_seconds`."""
        if ready_seconds >= STEADY_SECONDS:
            return RestartPolicy(was_ready=True)
        return RestartPolicy(0, self._double_delay(), was_ready=True)

    @property
    def gives_up(self) -> bool:
        """Whether another start would fail in the same way."""
        return self.failed_starts >= FAILED_STARTS and not self.was_ready

    def _double_delay(self) -> float:
        return min(self.delay_seconds * 2, LONGEST_DELAY_SECONDS)
