"""What is done to the API while it is called, one step after the other, and what each costs its callers."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.faults.api import FUNCTION_ENTRY, MODEL, REPLICATED, build_config
from bench.faults.callers import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import psutil

    from bench.faults.api import Api

SETTLE_SECONDS = 120.0
_LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Step:
    """One fault, so many times: what its callers met meanwhile, and the longest until all was well again."""

    fault: str
    times: int
    tally: Tally
    seconds: float = 0.0
    kills: bool = True
    """Whether it takes calls along."""

    def __add__(self, other: Step) -> Step:
        """The same fault, as often as both."""
        seconds = max(self.seconds, other.seconds)
        return Step(self.fault, self.times + other.times, self.tally + other.tally, seconds, self.kills)


KILLED: dict[str, Callable[[Api], psutil.Process]] = {
    "kill -9 of a model's only server": lambda api: api.servers(MODEL)[0],
    "kill -9 of one server of two": lambda api: api.servers(REPLICATED)[0],
    "kill -9 of a function's worker": lambda api: api.workers()[0],
    "kill -9 of a function's host": lambda api: api.servers(FUNCTION_ENTRY)[0],
    "kill -9 of the gateway": lambda api: api.gateway(),
}


def kill(api: Api, tally: Tally, find: Callable[[Api], psutil.Process]) -> None:
    """`kill -9`, which the tally of the calls knows of."""
    process = find(api)
    tally.kills += 1
    api.kill(process)


def kill_each(api: Api, tally: Tally, times: int, connections: int) -> Iterator[Step]:
    """Every process that the supervisor looks after, again and again."""
    for fault, find in KILLED.items():
        before, slowest = tally.copy(), 0.0
        for _ in range(times):
            kill(api, tally, find)
            slowest = max(slowest, api.wait_well())
            wait_for_calls(tally, 3 * connections)
        yield Step(fault, times, tally - before, slowest)


def kill_supervisor(api: Api, tally: Tally, connections: int) -> tuple[Step, int]:
    """It takes everything with it; the next `mlapi up` finds nothing in its way. Also how many were left."""
    api.note()
    before, begun = tally.copy(), time.monotonic()
    kill(api, tally, lambda one: one.supervisor)
    left = len(api.list_left())
    api.start()
    api.wait_well()
    wait_for_calls(tally, connections)
    return Step(
        "kill -9 of the supervisor, and another up", 1, tally - before, time.monotonic() - begun
    ), left


def reload_often(api: Api, tally: Tally, times: int, *, first: int) -> Step:
    """Every other time the only server of a model is another one; `first` is the number of the first turn.

    Raises:
        RuntimeError: a reload is refused.
    """
    before, slowest = tally.copy(), 0.0
    for turn in range(first, first + times):
        api.write_config(build_config(turn))
        begun = time.monotonic()
        api.reload()
        slowest = max(slowest, time.monotonic() - begun)
        api.note()
    return Step("reload, every other with another server", times, tally - before, slowest, kills=False)


def wait_for_calls(tally: Tally, calls: int) -> None:
    """Until so many more were answered.

    Raises:
        RuntimeError: they were not.
    """
    wanted, end = tally.answered + calls, time.monotonic() + SETTLE_SECONDS
    while tally.answered < wanted:
        if time.monotonic() > end:
            raise RuntimeError(f"not {calls} calls were answered within {SETTLE_SECONDS:g} s")
        time.sleep(_LOOK_SECONDS)
