"""Faults caused in turn while the API is called, and what each costs its callers."""

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
    """One fault, caused `times` times: the calls meanwhile, and the longest recovery in seconds."""

    fault: str
    times: int
    tally: Tally
    seconds: float = 0.0
    kills: bool = True
    """Whether the fault may lose calls."""

    def __add__(self, other: Step) -> Step:
        """Adds another step with the same fault."""
        seconds = max(self.seconds, other.seconds)
        return Step(self.fault, self.times + other.times, self.tally + other.tally, seconds, self.kills)


KILLED: dict[str, Callable[[Api], psutil.Process]] = {
    "kill -9 of a model's only server": lambda api: api.servers(MODEL)[0],
    "kill -9 of one of two servers": lambda api: api.servers(REPLICATED)[0],
    "kill -9 of a function's worker": lambda api: api.workers()[0],
    "kill -9 of a function's host": lambda api: api.servers(FUNCTION_ENTRY)[0],
    "kill -9 of the gateway": lambda api: api.gateway(),
}


def kill(api: Api, tally: Tally, find: Callable[[Api], psutil.Process]) -> None:
    """Sends `kill -9`, and counts it in the tally."""
    process = find(api)
    with tally.killing():
        api.kill(process)


def kill_each(api: Api, tally: Tally, times: int, connections: int) -> Iterator[Step]:
    """Kills each kind of supervised process, `times` times."""
    for fault, find in KILLED.items():
        before, slowest = tally.copy(), 0.0
        for _ in range(times):
            kill(api, tally, find)
            slowest = max(slowest, api.wait_well())
            wait_for_calls(tally, 3 * connections)
        yield Step(fault, times, tally - before, slowest)


def reload_often(api: Api, tally: Tally, times: int, *, first: int) -> Step:
    """Reloads; every second time, a model's only server is replaced. `first` is the number of the first turn.

    Raises:
        RuntimeError: A reload was refused.
    """
    before, slowest = tally.copy(), 0.0
    for turn in range(first, first + times):
        api.write_config(build_config(turn))
        begun = time.monotonic()
        api.reload()
        slowest = max(slowest, time.monotonic() - begun)
        api.note()
    return Step("reload; every second one replaces a server", times, tally - before, slowest, kills=False)


def wait_for_calls(tally: Tally, calls: int) -> None:
    """Waits until `calls` more calls were answered.

    Raises:
        RuntimeError: They were not answered in time.
    """
    wanted, end = tally.answered + calls, time.monotonic() + SETTLE_SECONDS
    while tally.answered < wanted:
        if time.monotonic() > end:
            raise RuntimeError(f"fewer than {calls} calls were answered within {SETTLE_SECONDS:g} s")
        time.sleep(_LOOK_SECONDS)
