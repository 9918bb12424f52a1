"""One entry that may sleep: what it does, who wants it, how often it failed. Pure, but for its own state."""

from __future__ import annotations

from dataclasses import dataclass, field

from centralized_ml_api.local.sleep.types import Calls, Phase
from centralized_ml_api.plan.types import SleepPlan

KEPT_SECONDS = 10.0
"""How long a woken entry waits for a caller who was told to come back."""

FIRST_PAUSE_SECONDS = 10.0
LONGEST_PAUSE_SECONDS = 300.0
"""How long an entry that did not wake is left alone; twice as long each time."""


@dataclass(slots=True)
class Sleeper:
    """An entry that may sleep. Times are in seconds of one clock.

    `since` is when its phase began, `claim` since when somebody wants it, whose call a `firm` claim outlives.
    While it closes, `gives_way` says that others of its group want its place, `may_reopen` that its processes
    are ready, and `is_closed` that surely no further call goes on.
    """

    terms: SleepPlan
    phase: Phase
    since: float
    used: float
    claim: float | None = None
    firm: bool = False
    calls: Calls = field(default_factory=Calls)
    kept_until: float = 0.0
    dismissed: bool = False
    gives_way: bool = False
    may_reopen: bool = False
    is_closed: bool = False
    called: bool = False
    failures: int = 0
    not_before: float = 0.0
    wakes: int = 0
    slept: float = 0.0
    wake_seconds: float | None = None

    @property
    def is_busy(self) -> bool:
        """Whether it has calls."""
        return self.calls.under_way > 0 or self.calls.waiting > 0

    def enter(self, phase: Phase, now: float) -> None:
        """Begins another phase."""
        if self.phase == "asleep":
            self.slept += now - self.since
        self.phase, self.since = phase, now

    def close(self, now: float, *, gives_way: bool) -> None:
        """Lets no further call go on."""
        self.may_reopen, self.gives_way, self.is_closed = self.phase == "ready", gives_way, False
        self.enter("closing", now)

    def claim_now(self, now: float, *, firm: bool) -> None:
        """Takes note that somebody wants it."""
        self.claim = now if self.claim is None else self.claim
        self.firm = self.firm or firm

    def drop_claim(self) -> None:
        """Takes note that nobody wants it any more, or that it is awake."""
        self.claim, self.firm = None, False

    def note_calls(self, calls: Calls, now: float) -> None:
        """Takes note of its calls: while it is not ready, those that wait and those refused claim it."""
        before, self.calls = self.calls, calls
        if calls.under_way or before.under_way or calls.taken != before.taken:
            self.used = now
        if self.phase == "ready" or now < self.not_before:
            return
        known = before.refused if before.refused <= calls.refused else 0  # or else they are counted anew
        if calls.refused > known:
            self.claim_now(now, firm=True)
        elif calls.waiting:
            self.claim_now(now, firm=False)
        elif not self.firm:
            self.drop_claim()

    def become_ready(self, now: float) -> None:
        """Takes note that it woke."""
        self.enter("ready", now)
        self.wakes += int(self.called)
        self.used = now
        self.kept_until = now + KEPT_SECONDS if self.firm else now
        self.forgive()
        self.drop_claim()

    def fail(self, now: float) -> None:
        """Takes note that it did not wake: its processes are to be stopped, then it is left alone."""
        pause = min(FIRST_PAUSE_SECONDS * 2**self.failures, LONGEST_PAUSE_SECONDS)
        self.failures, self.not_before = self.failures + 1, now + pause
        self.drop_claim()
        self.dismissed = True

    def forgive(self) -> None:
        """Forgets that it did not wake."""
        self.failures, self.not_before = 0, 0.0

    @property
    def idle_at(self) -> float | None:
        """When it goes to sleep if nobody calls; None for never."""
        if self.phase != "ready" or self.terms.idle_seconds is None or self.is_busy:
            return None
        return max(self.used + self.terms.idle_seconds, self.kept_until)
