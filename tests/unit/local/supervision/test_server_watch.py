"""How often servers of somebody else are looked at, and who hears of it; in virtual time."""

from __future__ import annotations

import asyncio
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.supervision.probe import ProbeResult
from centralized_ml_api.local.supervision.server_watch import (
    LOOKS_AT_ONCE,
    LOOKS_PER_SECOND,
    PAUSES_SECONDS,
    ServerWatches,
    Sight,
)
from centralized_ml_api.plan.url_target import UrlTarget
from support.fake_machine import FakeMachine
from support.virtual_time import run_in_virtual_time

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

READY, REFUSED = ProbeResult.READY, ProbeResult.REFUSED


def target(number: int = 0, *, ping: str | None = "/health") -> UrlTarget:
    origin = f"http://box-{number}:8000"
    return UrlTarget(f"box-{number}", 8000, tls=False, ping_url=f"{origin}{ping}" if ping else None)


class Hall:
    """Watches on a fake machine; `seen` holds what each follower was told."""

    def __init__(self) -> None:
        self.machine = FakeMachine()
        self.watches = ServerWatches(self.machine)
        self.seen: dict[str, list[Sight]] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    def follow(self, name: str, followed: UrlTarget) -> None:
        seen = self.seen[name] = []
        self.tasks[name] = asyncio.create_task(self.watches.follow(followed, seen.append))

    async def leave(self, names: Iterable[str]) -> None:
        tasks = [self.tasks.pop(name) for name in names]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


def play(scenario: Callable[[Hall], Awaitable[None]]) -> Hall:
    async def main() -> Hall:
        hall = Hall()
        await scenario(hall)
        if hall.tasks:
            await hall.leave([*hall.tasks])
        return hall

    return run_in_virtual_time(main())


def test_services_behind_the_same_server_share_each_look() -> None:
    async def scenario(hall: Hall) -> None:
        for number in range(1000):
            hall.follow(f"entry {number}", target())
        await asyncio.sleep(8)

    hall = play(scenario)
    assert [at for at, _ in hall.machine.probes] == pytest.approx([0, 0.2, 0.7, 1.7, 3.7])
    assert hall.machine.looks == ["http://box-0:8000/"]
    assert len(hall.seen) == 1000
    assert all(seen == [Sight(READY)] * 5 for seen in hall.seen.values())


def test_servers_with_different_pings_are_different_servers() -> None:
    async def scenario(hall: Hall) -> None:
        for ping in ("/a", "/b", None):
            hall.follow(str(ping), target(ping=ping))
        await asyncio.sleep(0.1)

    assert len(play(scenario).machine.probes) == 3


@pytest.mark.parametrize(
    ("servers", "pause"),
    [
        (1, PAUSES_SECONDS[-1]),
        (5 * LOOKS_PER_SECOND, PAUSES_SECONDS[-1]),
        (10 * LOOKS_PER_SECOND, 10),
    ],
)
def test_many_servers_are_looked_at_less_often_and_together_so_often_at_most(
    servers: int, pause: float
) -> None:
    async def scenario(hall: Hall) -> None:
        for number in range(servers):
            hall.follow(str(number), target(number))
        await asyncio.sleep(100)  # past the short pauses
        hall.machine.probes.clear()
        await asyncio.sleep(4.5 * pause)

    times: dict[str, list[float]] = {}
    for at, url in play(scenario).machine.probes:
        times.setdefault(url, []).append(at)
    assert len(times) == servers <= LOOKS_PER_SECOND * pause
    gaps = [after - before for looks in times.values() for before, after in pairwise(looks)]
    assert len(gaps) >= 2 * servers
    assert gaps == pytest.approx([pause] * len(gaps), abs=1)
    seconds = Counter(int(at) for looks in times.values() for at in looks)
    assert max(seconds.values()) <= LOOKS_PER_SECOND + 1, "nor do they come all at once"


def test_no_more_looks_are_under_way_than_can_be_answered_in_time() -> None:
    async def scenario(hall: Hall) -> None:
        hall.machine.delays = {"/health": 1.0}
        for number in range(2 * LOOKS_AT_ONCE + 1):
            hall.follow(str(number), target(number))
        await asyncio.sleep(1.1)

    starts = Counter(at for at, _ in play(scenario).machine.probes)
    assert starts == {0: LOOKS_AT_ONCE, 1: LOOKS_AT_ONCE}, "the last one has to wait"


def test_a_server_is_looked_at_anew_for_whoever_comes_later() -> None:
    async def scenario(hall: Hall) -> None:
        hall.machine.answer = REFUSED
        hall.follow("first", target())
        await asyncio.sleep(10)
        assert {sight.result for sight in hall.seen["first"]} == {REFUSED}
        hall.machine.answer, hall.machine.keeps = READY, True
        hall.follow("second", target())
        await asyncio.sleep(0.01)
        assert hall.seen["second"] == [Sight(READY, keeps_connections=True)], "at once, not in some seconds"
        assert hall.seen["first"][-1] == Sight(READY, keeps_connections=True)

    play(scenario)


def test_another_product_that_takes_a_servers_place_between_two_looks_is_noticed() -> None:
    async def scenario(hall: Hall) -> None:
        hall.machine.keeps = True
        hall.follow("entry", target())
        await asyncio.sleep(sum(PAUSES_SECONDS[:-1]) + 0.1)
        assert set(hall.seen["entry"]) == {Sight(READY, keeps_connections=True)}
        hall.machine.keeps = False
        await asyncio.sleep(PAUSES_SECONDS[-1])
        assert hall.seen["entry"][-1] == Sight(READY), "it was ready at each look"
        asked = len(hall.machine.looks)
        await asyncio.sleep(3 * PAUSES_SECONDS[-1])
        assert len(hall.machine.looks) == asked, "one that closes is not asked again"

    play(scenario)


def test_a_look_that_had_begun_before_is_not_told_to_whoever_comes_later() -> None:
    async def scenario(hall: Hall) -> None:
        hall.machine.answer, hall.machine.delays = REFUSED, {"/health": 1.0}
        hall.follow("first", target())
        await asyncio.sleep(0.5)
        hall.follow("second", target())
        await asyncio.sleep(0.6)
        assert (hall.seen["first"], hall.seen["second"]) == ([Sight(REFUSED)], [])
        hall.machine.answer = READY
        await asyncio.sleep(1)
        assert hall.seen["second"] == [Sight(READY)]

    play(scenario)


def test_a_server_whose_last_follower_left_is_not_looked_at_any_more() -> None:
    async def scenario(hall: Hall) -> None:
        hall.follow("first", target())
        hall.follow("second", target())
        await asyncio.sleep(0.1)
        await hall.leave(["first"])
        await asyncio.sleep(10)
        before = len(hall.machine.probes)
        assert (before, len(hall.seen["first"])) == (6, 1)
        await hall.leave(["second"])
        await asyncio.sleep(60)
        assert len(hall.machine.probes) == before
        hall.follow("third", target())
        await asyncio.sleep(0.1)
        assert len(hall.machine.probes) == before + 1

    play(scenario)
