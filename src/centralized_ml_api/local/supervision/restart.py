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

    A server that ends before it was ever ready counts as a failed start; after `FAILED_STARTS` in a row we
    give up, because trying on would only hide the reason. One that was ready is always restarted, later
    each time, and with a clean slate once it was ready for `STEADY_SECONDS`.
    """

    failed_starts: int = 0
    delay_seconds: float = FIRST_DELAY_SECONDS

    def after_failed_start(self) -> RestartPolicy:
        """The server ended, or was ended, before it was ready."""
        return RestartPolicy(self.failed_starts + 1, self._longer())

    def after_crash(self, ready_seconds: float) -> RestartPolicy:
        """The server ended after it had been ready for `ready_seconds`."""
        if ready_seconds >= STEADY_SECONDS:
            return RestartPolicy()
        return RestartPolicy(0, self._longer())

    @property
    def gives_up(self) -> bool:
        """True when another start would be the same failure again."""
        return self.failed_starts >= FAILED_STARTS

    def _longer(self) -> float:
        return min(self.delay_seconds * 2, LONGEST_DELAY_SECONDS)
