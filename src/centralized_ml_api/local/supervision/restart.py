"""When a server that ended is started again, and when we give up. Pure: a table of events decides."""

from __future__ import annotations

from dataclasses import dataclass

FIRST_DELAY_SECONDS = 0.1
LONGEST_DELAY_SECONDS = 10.0
STEADY_SECONDS = 10.0
FAILED_STARTS = 3


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """What happened so far, as far as it matters.

    A server that was never ready is given up after `FAILED_STARTS`, because trying on would only hide the
    reason. One that was ready is always started again, whatever the machine lacks meanwhile: later each time,
    and with a clean slate once it was ready for `STEADY_SECONDS`.
    """

    failed_starts: int = 0
    delay_seconds: float = FIRST_DELAY_SECONDS
    was_ready: bool = False

    def after_failed_start(self) -> RestartPolicy:
        """The server ended, or was ended, before it was ready."""
        return RestartPolicy(self.failed_starts + 1, self._longer(), self.was_ready)

    def after_crash(self, ready_seconds: float) -> RestartPolicy:
        """The server ended after it had been ready for `ready_seconds`."""
        if ready_seconds >= STEADY_SECONDS:
            return RestartPolicy(was_ready=True)
        return RestartPolicy(0, self._longer(), was_ready=True)

    @property
    def gives_up(self) -> bool:
        """True when another start would be the same failure again."""
        return self.failed_starts >= FAILED_STARTS and not self.was_ready

    def _longer(self) -> float:
        return min(self.delay_seconds * 2, LONGEST_DELAY_SECONDS)
