"""Decides which entries wake and which sleep: what is idle, what is called, whose turn it is in a group.

    asleep    no process; a call that comes is held, and is a claim to wake
    waking    its processes start
    ready     calls go on
    closing   no further call goes on; those under way come to their end
    stopping  its processes end

At most one entry of a group is anything but asleep. Claims are served in the order in which they were made.
The entry that is awake keeps its place while it is used, until its turn is over: then calls that come for it
wait like those of the others, and when those under way have ended, the next one wakes. No entry with a call
under way is ever stopped.

All times are seconds of one monotonic clock. Pure: `advance` says what is to be done, somebody else does it.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from centralized_ml_api.local.sleep.sleeper import KEPT_SECONDS, Sleeper
from centralized_ml_api.local.sleep.types import Step, View

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from centralized_ml_api.local.sleep.types import Calls, Phase
    from centralized_ml_api.plan.types import SleepPlan

LONGEST_TURN_SECONDS = 30.0
"""How long an entry that is used may keep others of its group waiting, at most."""

LINGER_SECONDS = 1.0
"""How long an entry of a group counts as used after its last call, at most: a client's next call follows the
answer to the one before, and to change models for it costs two wakes."""


class Schedule:
    """The entries that may sleep. Names that it does not know are left alone.

    Args:
        call_seconds: How long a call waits for its answer, from which follows how long a turn may be.
    """

    def __init__(self, call_seconds: float) -> None:
        self._call_seconds = call_seconds
        self._entries: dict[str, Sleeper] = {}
        self.sees_calls = True
        """Whether the calls are known. While they are not, nobody goes to sleep."""
        self._is_closed = False
        self._opens_at: float | None = None

    def __contains__(self, name: str) -> bool:
        """Returns whether the entry may sleep."""
        return name in self._entries

    @property
    def names(self) -> tuple[str, ...]:
        """The entries that may sleep, in config order."""
        return tuple(self._entries)

    def adopt(
        self,
        terms: Mapping[str, SleepPlan],
        phases: Mapping[str, Phase],
        wake_seconds: Mapping[str, float],
        now: float,
    ) -> None:
        """Takes the entries of another plan; those that it knows keep what they have done so far.

        Args:
            terms: By name, when they sleep.
            phases: What those do that are new, or were replaced.
            wake_seconds: How long those took to wake that ever did.
            now: The time.
        """
        before = self._entries
        self._entries = {}
        for name, plan in terms.items():
            entry = before.get(name) or Sleeper(plan, phases.get(name, "asleep"), now, now)
            entry.terms = plan
            entry.wake_seconds = wake_seconds.get(name)
            if name in before and name in phases:
                entry.enter(phases[name], now)
                entry.forgive()
                entry.used = now
                entry.called = False
                if phases[name] != "asleep":
                    entry.drop_claim()
            self._entries[name] = entry

    def note_calls(self, name: str, calls: Calls, now: float) -> None:
        """Notes which calls an entry has had; ignores an unknown entry.

        Args:
            name: The entry.
            calls: Its calls until now.
            now: The time, in seconds.
        """
        if name in self._entries:
            self._entries[name].note_calls(calls, now)

    def want(self, name: str, now: float) -> None:
        """Wakes an entry by hand: once it is its turn, whether or not a call waits."""
        entry = self._entries[name]
        entry.forgive()
        if entry.phase == "ready":
            entry.used, entry.dismissed = now, False
        else:
            entry.claim_now(now, firm=True)

    def dismiss(self, name: str) -> bool:
        """Lets an entry sleep by hand, once its calls are over; returns False where calls wait for it."""
        entry = self._entries[name]
        if entry.calls.waiting:
            return False
        entry.drop_claim()
        entry.dismissed = True
        return True

    def close_hours(self, opens_at: float | None) -> None:
        """Lets all sleep until `open_hours`; the next hours begin at `opens_at`, None if none follow."""
        self._is_closed, self._opens_at = True, opens_at

    def open_hours(self, now: float) -> None:
        """Wakes what slept because of the hours: in each group the first one, unless others are wanted."""
        if not self._is_closed:
            return
        self._is_closed = False
        groups = {entry.terms.shares for _, entry in self._claims()}
        for entry in self._entries.values():
            group = entry.terms.shares
            if entry.phase == "asleep" and not (group and group in groups):
                groups.add(group)
                entry.claim_now(now, firm=True)

    def note_ready(self, name: str, now: float) -> float | None:
        """Takes note that an entry answers; returns how long it took to wake, None if it was not waking."""
        entry = self._entries.get(name)
        if entry is None or entry.phase != "waking":
            return None
        took = now - entry.since
        entry.become_ready(now)
        return took

    def learn(self, name: str, wake_seconds: float) -> None:
        """Takes note of how long an entry takes to wake."""
        if name in self._entries:
            self._entries[name].wake_seconds = wake_seconds

    def note_failed(self, name: str, now: float) -> None:
        """Takes note that an entry did not wake: its processes are to be stopped, then it is left alone."""
        entry = self._entries.get(name)
        if entry is not None and entry.phase == "waking":
            entry.fail(now)

    def note_closed(self, name: str) -> None:
        """Takes note that no further call goes on at an entry that closes: all of them are known."""
        entry = self._entries.get(name)
        if entry is not None and entry.phase == "closing":
            entry.is_closed = True

    def note_asleep(self, name: str, now: float) -> None:
        """Takes note that the processes of an entry are gone."""
        entry = self._entries.get(name)
        if entry is None or entry.phase != "stopping":
            return
        entry.enter("asleep", now)
        if entry.calls.waiting and now >= entry.not_before:
            entry.claim_now(now, firm=False)

    def is_served(self, name: str) -> bool:
        """Returns whether the processes of an entry are ready, also while its last calls come to an end."""
        entry = self._entries[name]
        return entry.phase == "ready" or (entry.phase == "closing" and entry.may_reopen)

    def advance(self, now: float, blocked: Collection[str] = ()) -> list[Step]:
        """Decides what is to be done now, and takes it as begun.

        Args:
            now: The time.
            blocked: The groups in which something runs that has no name any more.
        """
        return [
            *self._finish_closing(now),
            *self._close_idle(now),
            *self._close_surplus(now),
            *self._serve_claims(now, blocked),
        ]

    def next_at(self, now: float) -> float | None:
        """Returns when time alone changes something, or the next look may; None if never."""
        entries = self._entries.values()
        times = [
            *(time for entry in entries for time in (entry.not_before, entry.kept_until, entry.idle_at)),
            *(self._yields_at(occupant, claimant, now) for claimant, occupant in self._contests()),
        ]
        return min((time for time in times if time is not None and time > now), default=None)

    def view(self, name: str, now: float) -> View:
        """Returns how an entry is."""
        entry = self._entries[name]
        asleep = now - entry.since if entry.phase == "asleep" else 0.0
        failed = entry.failures > 0 and entry.phase in {"asleep", "closing", "stopping"}
        closed = self._is_closed and entry.phase != "ready"
        ready_in = max(0.0, entry.not_before - now) if failed else self._ready_in(entry, now)
        if closed:
            ready_in = None if self._opens_at is None else max(0.0, self._opens_at - now)
        return View(
            entry.phase,
            failed,
            ready_in,
            entry.wakes,
            entry.slept + asleep,
            entry.wake_seconds,
            entry.called,
            entry.claim is not None,
            closed,
        )

    def _finish_closing(self, now: float) -> Iterator[Step]:
        """Stops those whose calls are over, and takes back those who need not make room any more."""
        for name, entry in self._entries.items():
            if entry.phase != "closing":
                continue
            makes_room = self._is_closed or (entry.gives_way and self._has_rival(entry))
            if entry.calls.waiting and entry.may_reopen and not makes_room:
                entry.enter("ready", now)
                entry.drop_claim()
                yield Step("open", name)
            elif entry.calls.under_way == 0 and entry.is_closed and self.sees_calls:
                entry.enter("stopping", now)
                yield Step("stop", name)

    def _close_idle(self, now: float) -> Iterator[Step]:
        """Closes those that nobody uses, that are to sleep by hand, and that did not wake."""
        for name, entry in self._entries.items():
            idle_at = entry.idle_at
            is_idle = idle_at is not None and idle_at <= now and self.sees_calls
            dismissed, entry.dismissed = entry.dismissed and entry.phase in {"waking", "ready"}, False
            is_over = self._is_closed and entry.phase == "ready"
            if dismissed or is_idle or is_over:
                entry.close(now, gives_way=False)
                yield Step("close", name)

    def _close_surplus(self, now: float) -> Iterator[Step]:
        """Makes room where entries became a group that were awake together."""
        for name, entry in sorted(self._entries.items(), key=lambda item: item[1].used):
            stays = any(other.phase in {"waking", "ready"} for other in self._others(entry))
            if entry.phase == "ready" and stays and self.sees_calls:
                entry.close(now, gives_way=True)
                yield Step("close", name)

    def _serve_claims(self, now: float, blocked: Collection[str]) -> Iterator[Step]:
        if self._is_closed:
            return
        served: set[str] = set()
        for name, entry in self._claims():
            group = entry.terms.shares
            if group and (group in served or group in blocked):
                continue
            served.add(group)
            holder = self._occupant(entry)
            if holder is None:
                entry.enter("waking", now)
                entry.called = True
                yield Step("wake", name)
            elif holder.phase == "ready" and self.sees_calls and self._yields_at(holder, entry, now) <= now:
                holder.close(now, gives_way=True)
                yield Step("close", self._name(holder))

    def _claims(self) -> list[tuple[str, Sleeper]]:
        """Returns the entries that sleep and are wanted, the first claim first."""
        claims = [
            (entry.claim, name, entry)
            for name, entry in self._entries.items()
            if entry.phase == "asleep" and entry.claim is not None
        ]
        return [(name, entry) for _, name, entry in sorted(claims, key=lambda claim: claim[0])]

    def _contests(self) -> Iterable[tuple[Sleeper, Sleeper]]:
        """Yields each entry that sleeps and is wanted with the one that is awake in its place."""
        for _, entry in self._claims():
            if (occupant := self._occupant(entry)) is not None:
                yield entry, occupant

    def _others(self, of: Sleeper) -> Iterator[Sleeper]:
        group, entries = of.terms.shares, self._entries.values()
        return (entry for entry in entries if group and entry is not of and entry.terms.shares == group)

    def _occupant(self, claimant: Sleeper) -> Sleeper | None:
        """Returns another one of the group that does not sleep."""
        return next((entry for entry in self._others(claimant) if entry.phase != "asleep"), None)

    def _has_rival(self, entry: Sleeper) -> bool:
        """Returns whether another one of the group is awake or wanted."""
        return any(other.phase != "asleep" or other.claim is not None for other in self._others(entry))

    def _name(self, wanted: Sleeper) -> str:
        return next(name for name, entry in self._entries.items() if entry is wanted)

    def _yields_at(self, occupant: Sleeper, claimant: Sleeper, now: float) -> float:
        """Returns when the entry that is awake makes room for another one, which claims its place by now."""
        began = max(occupant.since, now if claimant.claim is None else claimant.claim)
        end = began + self._turn_seconds(claimant)
        if occupant.is_busy:
            return end
        linger = min(LINGER_SECONDS, occupant.wake_seconds or LINGER_SECONDS)
        return min(end, max(occupant.used + linger, occupant.kept_until))

    def _turn_seconds(self, claimant: Sleeper) -> float:
        """Returns how long an entry that is used goes on while this one is claimed.

        The calls that wait must be answered in time: after this turn, and after the wake. Yet a turn is never
        shorter than a wake, or the group would do little but wake.
        """
        wake = claimant.wake_seconds or 0.0
        return max(wake, min(LONGEST_TURN_SECONDS, (self._call_seconds - wake) / 2))

    def _ready_in(self, entry: Sleeper, now: float) -> float | None:
        """Returns in how many seconds a call that comes now would be answered; None if nobody knows."""
        if entry.phase == "ready":
            return 0.0
        wake = entry.wake_seconds
        if wake is None:
            return None
        if entry.phase == "waking":
            left = wake - (now - entry.since)
            return left if left > 0 else None
        return wake + self._place_in(entry, now)

    def _place_in(self, entry: Sleeper, now: float) -> float:
        """Returns in how many seconds the place of an entry that sleeps is its own."""
        occupant, group = self._occupant(entry), entry.terms.shares
        before = [
            other
            for _, other in self._claims()
            if group and other.terms.shares == group and other is not entry
            if entry.claim is None or (other.claim or 0.0) < entry.claim
        ]
        line, seconds = [*before, entry], 0.0
        if occupant is not None and occupant.phase == "waking":
            left = max(0.0, occupant.since + (occupant.wake_seconds or 0.0) - now)
            turn, kept = self._turn_seconds(line[0]), KEPT_SECONDS if occupant.firm else 0.0
            seconds = left + (turn if occupant.is_busy else min(turn, kept))
        elif occupant is not None and occupant.phase == "ready":
            seconds = max(0.0, self._yields_at(occupant, line[0], now) - now)
        turns = ((first.wake_seconds or 0.0) + self._turn_seconds(then) for first, then in pairwise(line))
        return seconds + sum(turns)
