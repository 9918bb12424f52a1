"""Sends hostile calls beside a team that calls as usual: each once, or all again and again."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import multiprocessing
import os
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.faults import figures
from bench.faults.hostile.call import OK, HostileCall, find_fault
from bench.faults.hostile.chat import CHAT_CALLS
from bench.faults.hostile.good_team import Pace, Usual, calling_as_usual
from bench.faults.hostile.requests import REQUEST_CALLS
from bench.faults.hostile.sending import send
from bench.faults.hostile.served import (
    BAD,
    ENTRIES,
    GOOD,
    count_under_way,
    find_lasting,
    find_tracebacks,
    load_keys,
    serve_both_teams,
)
from bench.faults.hostile.tables import TABLE_CALLS
from bench.faults.soak import list_leftovers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from bench.faults.api import Api
    from bench.faults.hostile.call import Outcome

HOSTILE_CALLS: tuple[HostileCall, ...] = (*CHAT_CALLS, *TABLE_CALLS, *REQUEST_CALLS)
SHORT_SECONDS = 20.0
"""`attack_once` leaves out calls whose right outcome takes longer."""

ROUND_SECONDS = 120.0
"""`attack_for` lets the good team call alone before each: other load on the machine then affects both."""

WORKERS = 4
"""Hostile calls that the team has under way at once, besides connections on which it says nothing."""

CALLERS_NICE = 15
"""The priority of hostile callers, as of `nice`."""

SPARE_DESCRIPTORS = 4
"""Connections that the API's processes open to each other when they first need them, and keep."""

_FIRST_SERVER_ERROR = 500
_KEY_FILES = frozenset({"keys.json", "keys.lock"})
"""What teams leave in a state folder besides."""

_LOOK_SECONDS = 0.1


@dataclass(slots=True)
class Report:
    """What became of one hostile call, however often it was sent."""

    call: HostileCall
    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    @property
    def sent(self) -> int:
        """How often it was sent."""
        return self.statuses.total()

    @property
    def server_errors(self) -> int:
        """How often its caller was told that it is the API's fault."""
        return sum(
            count
            for status, count in self.statuses.items()
            if status >= _FIRST_SERVER_ERROR and status not in self.call.right
        )

    def add(self, outcomes: Iterable[Outcome], *, alone: bool) -> None:
        """Adds what became of it."""
        for outcome in outcomes:
            fault = find_fault(self.call, outcome, alone=alone)
            if outcome.is_for_later and not fault:
                continue
            self.statuses[outcome.status] += 1
            if fault:
                self.faults.append(f"{self.call.name}: {fault}")


@dataclass(frozen=True, slots=True)
class Round:
    """What another process has sent.

    Attributes:
        taken: How many calls were taken since the first round: of those sent whole, of those only begun.
        became: By name, the statuses of a call, and its faults.
    """

    taken: tuple[int, int]
    became: dict[str, tuple[Counter[int], list[str]]]


@dataclass(slots=True)
class Attacked:
    """The outcome.

    Attributes:
        alone: The good team's calls while nobody else calls.
        beside: Its calls beside the hostile ones.
        reports: What became of the hostile calls, by name.
        taken: As in a `Round`.
        samples: What the processes used before and after, while nobody called.
        under_way: Calls that still had a place or waited for one when nobody called any more.
        restarted: The roles of processes that are no longer the same.
        tracebacks: The first lines of tracebacks in logs.
        left: Files that should be gone when nothing runs.
        orphans: Processes that should be gone.
    """

    alone: Usual = field(default_factory=Usual)
    beside: Usual = field(default_factory=Usual)
    reports: dict[str, Report] = field(default_factory=dict)
    taken: tuple[int, int] = (0, 0)
    samples: list[figures.Sample] = field(default_factory=list)
    under_way: int = 0
    restarted: list[str] = field(default_factory=list)
    tracebacks: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    orphans: int = 0

    @property
    def times(self) -> dict[str, float]:
        """By entry, the good team's p95 beside the hostile team as a multiple of its p95 alone."""
        return {entry: self.beside.of(entry).p95 / self.alone.of(entry).p95 for entry in ENTRIES}

    @property
    def faults(self) -> list[str]:
        """Every hostile call with another outcome than its right one."""
        return [fault for report in self.reports.values() for fault in report.faults]

    def note(self, call: HostileCall, outcomes: Iterable[Outcome], *, alone: bool) -> None:
        """Notes what became of a call."""
        self.reports.setdefault(call.name, Report(call)).add(outcomes, alone=alone)

    def add(self, finished: Round) -> None:
        """Adds what became of the calls of a round."""
        self.taken = finished.taken
        for call in HOSTILE_CALLS:
            if call.name in finished.became:
                statuses, faults = finished.became[call.name]
                report = self.reports.setdefault(call.name, Report(call))
                report.statuses += statuses
                report.faults += faults


def attack_once(folder: Path, pause_seconds: float, say: Callable[[str], None]) -> Attacked:
    """Sends each hostile call once, one after the other, while the good team calls.

    Args:
        folder: A new folder.
        pause_seconds: Between two calls of the good team.
        say: Takes a line of progress.
    """
    calls = [call for call in HOSTILE_CALLS if call.lasts_seconds <= SHORT_SECONDS]

    async def attack(attacked: Attacked, port: int, key: str) -> None:
        async def send_in_turn(some: Sequence[HostileCall]) -> None:
            for call in some:
                begun = time.monotonic()
                attacked.note(call, await send(call, port, key), alone=True)
                say(f"{call.name}: {time.monotonic() - begun:.1f} s")

        await asyncio.gather(*map(send_in_turn, _part(calls)))

    attacked = Attacked()
    with (
        _observing(folder, attacked) as (api, keys),
        calling_as_usual(api.port, keys[GOOD], Pace(pause_seconds, waits=True)) as attacked.beside,
    ):
        asyncio.run(attack(attacked, api.port, keys[BAD]))
    return attacked


def attack_for(folder: Path, seconds: float, say: Callable[[str], None]) -> Attacked:
    """Sends all hostile calls again and again, while the good team calls once a second.

    The hostile callers are a process of low priority: in a hall, they would have machines of their own.

    Args:
        folder: A new folder.
        seconds: For how long, in rounds; the good team calls alone for a quarter of each before.
        say: Takes a line of progress.
    """
    rounds = max(1, round(seconds / ROUND_SECONDS))
    attacked = Attacked()
    with (
        _observing(folder, attacked) as (api, keys),
        ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), os.nice, (CALLERS_NICE,)) as callers,
    ):
        callers.submit(int).result()  # it has started
        for number in range(rounds):
            with calling_as_usual(api.port, keys[GOOD], Pace(1)) as alone:
                time.sleep(seconds / rounds / 4)
            with calling_as_usual(api.port, keys[GOOD], Pace(1)) as beside:
                attack = callers.submit(_attack_again, api.port, keys[BAD], seconds / rounds, attacked.taken)
                attacked.add(attack.result())
            attacked.alone.calls += alone.calls
            attacked.beside.calls += beside.calls
            say(f"round {number + 1} of {rounds}: p95 {alone.p95:.0f} ms alone, {beside.p95:.0f} ms beside")
    return attacked


def _attack_again(port: int, key: str, seconds: float, taken: tuple[int, int]) -> Round:
    """Sends hostile calls for so long, from where the round before has ended."""
    reports: dict[str, Report] = {}
    end = time.monotonic() + seconds
    counts = [*taken]

    async def work(part: int, calls: Iterator[HostileCall]) -> None:
        for call in calls:
            left = end - time.monotonic()
            if left <= 0:
                return
            counts[part] += 1
            if call.lasts_seconds < max(left, 1):
                outcomes = await send(call, port, key)
                reports.setdefault(call.name, Report(call)).add(outcomes, alone=False)
            else:
                await asyncio.sleep(_LOOK_SECONDS)

    async def attack() -> None:
        posted, begun = (
            itertools.islice(itertools.cycle(calls), count, None)
            for calls, count in zip(_part(HOSTILE_CALLS), taken, strict=True)
        )
        await asyncio.gather(work(1, begun), *(work(0, posted) for _ in range(WORKERS)))

    asyncio.run(attack())
    became = {name: (report.statuses, report.faults) for name, report in reports.items()}
    return Round((counts[0], counts[1]), became)


@contextlib.contextmanager
def _observing(folder: Path, attacked: Attacked) -> Iterator[tuple[Api, dict[str, str]]]:
    """Serves both teams; notes before, after, and once nothing runs, what there is."""
    with serve_both_teams(folder) as api:
        keys = dict(load_keys(api))
        _warm_up(api, keys[GOOD])
        lasting = find_lasting(api)
        attacked.samples.append(_look_at_rest(api))
        yield api, keys
        api.wait_well()
        attacked.under_way = _wait_idle(api)
        attacked.samples.append(_look_at_rest(api, attacked.samples[0]))
        attacked.restarted = [role for role, now in find_lasting(api).items() if now != lasting[role]]
        api.note()
    attacked.tracebacks = find_tracebacks(api)
    attacked.orphans = len(api.list_left())
    attacked.left = [name for name in list_leftovers(api) if name not in _KEY_FILES]


def _warm_up(api: Api, key: str) -> None:
    """Waits until the good team was served by every entry: first calls load what later ones find."""
    with calling_as_usual(api.port, key, Pace(_LOOK_SECONDS, waits=True)) as usual:
        end = time.monotonic() + figures.SETTLE_SECONDS
        while time.monotonic() < end and not all(
            any(call.status == OK for call in usual.of(entry).calls) for entry in ENTRIES
        ):
            time.sleep(_LOOK_SECONDS)


def _wait_idle(api: Api) -> int:
    """Returns 0 once no call is under way; after `SETTLE_SECONDS`, how many still are."""
    end = time.monotonic() + figures.SETTLE_SECONDS
    while (under_way := count_under_way(api)) and time.monotonic() < end:
        time.sleep(_LOOK_SECONDS)
    return under_way


def _look_at_rest(api: Api, before: figures.Sample | None = None) -> figures.Sample:
    """Takes a sample while nobody calls; what is more than before gets `SETTLE_SECONDS` to go away."""
    end = time.monotonic() + figures.SETTLE_SECONDS
    while True:
        time.sleep(figures.REST_SECONDS)
        every = [api.supervisor, *api.supervisor.children(recursive=True)]
        sample = figures.build_sample(find_lasting(api), len(every))
        if before is None or not find_held(before, sample) or time.monotonic() > end:
            return sample


def find_held(before: figures.Sample, after: figures.Sample) -> list[str]:
    """Says which processes hold more descriptors than before, and whether there are more processes. Pure."""
    held = [
        f"{role}: {before.of[role].descriptors} -> {now.descriptors} descriptors"
        for role, now in after.of.items()
        if now.descriptors > before.of[role].descriptors + SPARE_DESCRIPTORS
    ]
    more = after.processes - before.processes
    return [*held, f"{more} processes more"] if more > 0 else held


def _part(calls: Iterable[HostileCall]) -> tuple[list[HostileCall], list[HostileCall]]:
    """Returns the calls that are sent whole, and those of which only a beginning is sent."""
    listed = list(calls)
    return [call for call in listed if call.beginning is None], [
        call for call in listed if call.beginning is not None
    ]
