"""Lets models sleep and wakes them: does what the schedule decides, and holds the calls meanwhile.

Calls through the gateway are held by the admission service, calls of functions and of boto3 by `admit` here.
Both let calls go on only while an entry is ready. An entry that is to sleep first closes; it is stopped when
the admission service has confirmed that no further call goes on, and the gateway has none under way either:
a service that was started anew does not know the calls of the one before.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from typing import TYPE_CHECKING

from centralized_ml_api.local.machine.clock import WALL_CLOCK, Clock
from centralized_ml_api.local.run.sleep_hours import HOURS_LOOK_SECONDS, keep_hours
from centralized_ml_api.local.run.sleepers_link import count_places, describe_view, digest_view
from centralized_ml_api.local.run.tasks import wait_for_first
from centralized_ml_api.local.sleep.schedule import Schedule
from centralized_ml_api.local.sleep.types import Calls, NotAwakeError, Phase, Step, View
from centralized_ml_api.local.sleep.wake_times import describe_model

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from centralized_ml_api.local.gateway import ExternalUpstream, Upstream
    from centralized_ml_api.local.run.registry import Running
    from centralized_ml_api.local.run.sleepers_link import SleepersLink
    from centralized_ml_api.local.sleep.wake_times import WakeTimes
    from centralized_ml_api.local.supervision.service import Service
    from centralized_ml_api.plan.hours import Window
    from centralized_ml_api.plan.types import ModelDeployment

LOOK_SECONDS = 0.2
LAUNCH_SECONDS = 0.25
"""How long to wait for the processes of an entry that wakes, before everybody is told that it does."""


class Sleeping:
    """The entries that may sleep. Call `run` in a task.

    Args:
        link: Reaches the admission service.
        find: Returns the services of an entry.
        active_requests: Returns how many calls the gateway has under way to an upstream; None if unknown.
        retiring: Returns the services that lost their names and still run.
        times: How long entries took to wake.
        changed: Called when the state of an entry changed.
        call_seconds: How long a call waits for its answer.
        clock: Tells the time and waits.
    """

    def __init__(
        self,
        link: SleepersLink,
        find: Callable[[str], tuple[Running, ...]],
        active_requests: Callable[[str], Awaitable[int | None]],
        retiring: Callable[[], Iterable[Running]],
        times: WakeTimes,
        *,
        changed: Callable[[], None],
        call_seconds: float,
        clock: Clock = WALL_CLOCK,
    ) -> None:
        self._link = link
        self._find = find
        self._active_requests = active_requests
        self._retiring = retiring
        self._times = times
        self._changed = changed
        self._clock = clock
        self._schedule = Schedule(call_seconds)
        self._hours: tuple[Window, ...] = ()
        self._entries: dict[str, ModelDeployment] = {}
        self._seen: dict[str, tuple[Running, ...]] = {}
        self._work: dict[str, asyncio.Task[None]] = {}
        self._measured: set[str] = set()
        self._own: dict[str, Calls] = {}
        self._waiting: Counter[str] = Counter()
        self._told: dict[str, tuple[str, int | None, int | None, int]] = {}
        self._held: frozenset[str] = frozenset()
        self._shown: dict[str, tuple[str, float | None]] = {}
        self._news = asyncio.Event()
        self._turned = asyncio.Condition()
        link.changed = self.note_news

    def __contains__(self, name: str) -> bool:
        """Returns whether the entry may sleep."""
        return name in self._schedule

    def adopt(self, entries: Iterable[ModelDeployment], hours: tuple[Window, ...] = ()) -> None:
        """Takes the entries that are served from now on, with services under their names.

        Args:
            entries: Those of the plan.
            hours: When they may be awake; empty for always.
        """
        found = {entry.name: (entry, self._find(entry.name)) for entry in entries if entry.sleep}
        sleepers = self._entries = {name: entry for name, (entry, services) in found.items() if services}
        services = {name: found[name][1] for name in sleepers}
        terms = {name: entry.sleep for name, entry in sleepers.items() if entry.sleep}
        phases: dict[str, Phase] = {
            name: "asleep" if any(running.is_asleep for running in own) else "waking"
            for name, own in services.items()
            if own != self._seen.get(name)
        }
        for name in phases:
            self._drop_work(name)
            for running in services[name]:
                running.calls.changed = self.note_news
        self._hours, self._seen = hours, services
        self._measured.difference_update(phases)
        expected = {name: self._times.expect(name, describe_model(entry)) for name, entry in sleepers.items()}
        known = {name: seconds for name, seconds in expected.items() if seconds is not None}
        self._schedule.adopt(terms, phases, known, self._clock.monotonic())
        self.release()

    async def hold(self, names: Iterable[str]) -> None:
        """Holds the calls of entries whose place is taken by services that sleep, until `adopt` or `release`.

        Returns once no further call goes on, or after a while if the admission service is away.
        """
        self._held = frozenset(names)
        if self._held:
            await self.hear_calls()

    async def hear_calls(self) -> None:
        """Hears which calls there are now, or returns after a while if the admission service is away."""
        number, self._told = self._tell(anew=True), {}  # whatever comes next is told anew
        await self._link.obeyed_or_away(number)

    def release(self) -> None:
        """Lets the calls go on that are held because of `hold`, from the next `note_news` on."""
        self._held = frozenset()

    def view(self, name: str) -> View | None:
        """Returns how an entry is; None if it never sleeps."""
        return self._schedule.view(name, self._clock.monotonic()) if name in self._schedule else None

    def wake(self, name: str) -> None:
        """Wakes an entry by hand."""
        self._schedule.want(name, self._clock.monotonic())
        self.note_news()

    def sleep(self, name: str) -> bool:
        """Lets an entry sleep by hand once its calls are over; returns False if calls are known to wait."""
        self._take_stock()
        self.note_news()
        return self._schedule.dismiss(name)

    def note_news(self) -> None:
        """Takes note that a service or a call is another than before."""
        self._news.set()

    def find_awake(self) -> dict[str, tuple[Service, ...]]:
        """Returns the entries that may sleep and whose services are all ready, with these services."""
        found = {name: self._find(name) for name in self._schedule.names}
        return {
            name: tuple(running.service for running in services)
            for name, services in found.items()
            if all(running.report().state == "ready" for running in services)
        }

    async def let_woken_go_on(
        self, move: Callable[[list[Upstream | ExternalUpstream]], Awaitable[bool]]
    ) -> None:
        """Lets the calls of entries that woke go on.

        Args:
            move: Tells the gateway of these upstreams, sooner than of everything else, if that is possible.
        """
        woken = {name: services for name, services in self.find_awake().items() if self._is_waking(name)}
        upstreams = [each.service.upstream(each.upstream) for name in woken for each in self._find(name)]
        if upstreams and await move(upstreams):
            self.note_published(woken)
            self._tell()  # not later: whoever calls this has more to do

    async def until_launched(self) -> None:
        """Waits until every entry that wakes has processes, or says what it waits for; a moment at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAUNCH_SECONDS), self._turned:
                await self._turned.wait_for(lambda: not self._is_launching())

    def note_published(self, ready: Mapping[str, tuple[Service, ...]]) -> None:
        """Takes note of the entries that the gateway knows to be ready: their calls may go on.

        Args:
            ready: What `find_awake` returned before the gateway was told. An entry may have gone to sleep and
                begun to wake since then: the gateway does not know these services.
        """
        now, awake = self._clock.monotonic(), self.find_awake()
        for name, services in ready.items():
            if awake.get(name) != services:
                continue
            seconds = self._schedule.note_ready(name, now)
            if seconds is not None and name in self._measured:
                model = describe_model(self._entries[name])
                self._schedule.learn(name, self._times.note(name, model, seconds))
        self.note_news()

    async def admit(self, name: str, seconds: float) -> None:
        """Holds a call that does not pass the gateway until its model is awake.

        Whoever calls counts it in `Running.calls` before anything else can happen.

        Args:
            name: The entry.
            seconds: How long the call can wait.

        Raises:
            NotAwakeError: It does not wake, or not in time.
        """
        if name not in self._schedule:
            return
        self._waiting[name] += 1
        self.note_news()
        try:
            async with asyncio.timeout(seconds):
                await self._until_ready(name)
        except (TimeoutError, NotAwakeError) as error:
            self._count(name, Calls(refused=1))  # a claim, once an entry that failed may be tried again
            failed = isinstance(error, NotAwakeError) and error.has_failed
            raise NotAwakeError(name, has_failed=failed) from error
        else:
            self._count(name, Calls(taken=1))
        finally:
            self._waiting[name] -= 1
            self.note_news()

    async def run(self) -> None:
        """Acts whenever something changes or is due, until cancelled."""
        try:
            while True:
                self._news.clear()
                self._act()
                async with self._turned:
                    self._turned.notify_all()
                await self._until_news()
        finally:
            for task in self._work.values():
                task.cancel()

    async def _until_ready(self, name: str) -> None:
        """Waits until calls may go on.

        While an entry closes, a call of its function that is under way may still need its model.
        """
        async with self._turned:
            while (view := self.view(name)) is not None and (view.phase != "ready" or name in self._held):
                if self._schedule.is_served(name) and self._link.calls(name).under_way:
                    return
                if view.failed or view.closed:
                    raise NotAwakeError(name, has_failed=view.failed)
                await self._turned.wait()

    async def _until_news(self) -> None:
        now = self._clock.monotonic()
        dues = [self._schedule.next_at(now), now + HOURS_LOOK_SECONDS if self._hours else None]
        due = min((due for due in dues if due is not None), default=None)
        await wait_for_first(self._news.wait(), *([] if due is None else [self._clock.sleep(due - now)]))

    def _act(self) -> None:
        keep_hours(self._schedule, self._hours, self._clock)
        self._take_stock()
        blocked = {running.shares for running in self._retiring() if not running.is_asleep}
        steps = self._schedule.advance(self._clock.monotonic(), blocked)
        for step in steps:
            if step.action == "wake":
                self._measured.add(step.name)
                for running in self._find(step.name):
                    running.wake()
        if number := self._tell(anew=bool(steps)):
            self._begin_work(steps, number)
        now = self._clock.monotonic()
        views = {name: self._schedule.view(name, now) for name in self._schedule.names}
        shown = {name: (f"{view.phase} {view.failed}", view.wake_seconds) for name, view in views.items()}
        if shown != self._shown:
            self._shown = shown
            self._changed()

    def _is_waking(self, name: str) -> bool:
        return self._schedule.view(name, self._clock.monotonic()).phase == "waking"

    def _is_launching(self) -> bool:
        found = map(self._find, filter(self._is_waking, self._schedule.names))
        reports = (running.report() for services in found for running in services)
        return any(report.state == "preparing" and not report.detail for report in reports)

    def _tell(self, *, anew: bool = False) -> int:
        """Tells the admission service how entries are; returns 0 if it knows and need not be told anew."""
        now, names = self._clock.monotonic(), self._schedule.names
        views = {name: None if name in self._held else self._schedule.view(name, now) for name in names}
        sizes = {name: count_places(entry) for name, entry in self._entries.items()}
        told = {name: (*digest_view(view, now), *sizes[name]) for name, view in views.items()}
        if told == self._told and not anew:
            return 0
        self._told = told
        return self._link.tell({name: describe_view(view, *sizes[name]) for name, view in views.items()})

    def _take_stock(self) -> None:
        """Tells the schedule what is known of calls and services."""
        now = self._clock.monotonic()
        self._schedule.sees_calls = self._link.sees_calls
        for name in self._schedule.names:
            services = self._find(name)
            own = Calls(sum(running.calls.count for running in services), self._waiting[name])
            calls = self._link.calls(name) + self._own.get(name, Calls()) + own
            self._schedule.note_calls(name, calls, now)
            reports = [running.report() for running in services]
            if any(report.state == "failed" for report in reports):
                self._schedule.note_failed(name, now)
            if any(report.state == "preparing" and report.detail for report in reports):
                self._measured.discard(name)  # it downloads or installs, which it will not need again

    def _begin_work(self, steps: list[Step], number: int) -> None:
        for step in steps:
            self._drop_work(step.name)
            if step.action == "close":
                self._work[step.name] = asyncio.create_task(self._close(step.name, number))
            elif step.action == "stop":
                self._work[step.name] = asyncio.create_task(self._stop(step.name))

    def _drop_work(self, name: str) -> None:
        work = self._work.pop(name, None)
        if work is not None:
            work.cancel()

    async def _close(self, name: str, number: int) -> None:
        """Waits until no further call goes on, and tells the schedule."""
        await self._link.obeyed(number)
        for running in self._find(name):
            while await self._active_requests(running.upstream) != 0:
                await self._clock.sleep(LOOK_SECONDS)
        self._schedule.note_closed(name)
        self.note_news()

    async def _stop(self, name: str) -> None:
        await asyncio.gather(*(running.sleep() for running in self._find(name)))
        self._schedule.note_asleep(name, self._clock.monotonic())
        self.note_news()

    def _count(self, name: str, calls: Calls) -> None:
        self._own[name] = self._own.get(name, Calls()) + calls
