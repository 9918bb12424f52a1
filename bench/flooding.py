"""Teams that call one model at a usual pace, while one of them may send as much as it can.

A team calls once in each period of its pace, at a random moment of the period. Were the pauses all alike, it
would meet the same teams again and again, and all its calls of a phase would be one sample.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import statistics
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import aiohttp

from bench.programs import flood

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.scenario import Row

OK = 200
AT_ONCE = 4
"""Calls under way while the capacity of a model is measured: more than it answers at once."""

_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Team:
    """A team that calls: its key, empty where nobody asks for one, and the body of each of its calls."""

    key: str = field(repr=False)
    body: bytes = b"{}"

    @property
    def headers(self) -> dict[str, str]:
        """The headers of a call."""
        return {"content-type": _JSON, **({"x-api-key": self.key} if self.key else {})}


@dataclass(slots=True)
class Phase:
    """The calls of the teams that do not flood: milliseconds of answered calls, by team."""

    name: str
    milliseconds: dict[str, list[float]] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def all(self) -> list[float]:
        """The milliseconds of all teams."""
        return [call for team in self.milliseconds.values() for call in team]

    @property
    def failed(self) -> int:
        """How many calls got no answer of the model."""
        return sum(count for status, count in self.statuses.items() if status != OK)

    def add(self, other: Phase) -> None:
        """Adds the calls of another round."""
        for team, milliseconds in other.milliseconds.items():
            self.milliseconds.setdefault(team, []).extend(milliseconds)
        self.statuses.update(other.statuses)

    def summarize(self) -> Row:
        """Builds a row."""
        return {
            "phase": self.name,
            "calls": len(self.all),
            "refused": self.failed,
            "p50 ms": round(statistics.median(self.all), 2),
            "p95 ms": round(p95(self.all), 2),
        }


def p95(milliseconds: Sequence[float]) -> float:
    """Returns the 95th percentile."""
    return statistics.quantiles(milliseconds, n=20)[-1]


def worst_ratio(quiet: Phase, other: Phase) -> float:
    """Returns by how much the p95 of the team grows whose p95 grows most."""
    return max(
        p95(other.milliseconds[team]) / p95(milliseconds) for team, milliseconds in quiet.milliseconds.items()
    )


def choose_moments(rate: float, seconds: float, chance: random.Random) -> list[float]:
    """Returns when a team calls, in seconds since the start: `rate` times per second, once in each period."""
    return [(number + chance.random()) / rate for number in range(int(seconds * rate))]


def find_capacity(url: str, teams: Mapping[str, Team], seconds: float) -> float:
    """Returns how many calls per second are answered while the teams, in turn, keep `AT_ONCE` under way."""
    answered = 0

    async def call_all() -> None:
        nonlocal answered
        end, order = time.monotonic() + seconds, itertools.cycle(teams.values())

        async def call() -> None:
            nonlocal answered
            while time.monotonic() < end:
                team = next(order)
                async with session.post(url, data=team.body, headers=team.headers) as answer:
                    await answer.read()
                    answered += answer.status == OK

        async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(call())

    begun = time.monotonic()
    asyncio.run(call_all())
    return answered / (time.monotonic() - begun)


def run_phase(
    phase: Phase,
    url: str,
    teams: Mapping[str, Team],
    *,
    rate: float,
    first_rate: float,
    seconds: float,
    seed: int | None = None,
) -> Counter[int]:
    """Makes every team call; the first one from another process, whose calls only count.

    Args:
        phase: Gets the calls of the others.
        url: What they call.
        teams: The teams, by name.
        rate: Calls per second of each of the others.
        first_rate: Calls per second of the first; 0 if it does not call.
        seconds: For how long.
        seed: Decides at which moments the others call; None for others each time.

    Returns:
        How often the first team got each status.
    """
    first, *others = teams
    command = [sys.executable, "-m", flood.__name__, url, str(first_rate), str(seconds)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:  # noqa: S603  # our own
        if other.stdin is None or other.stdout is None:
            raise RuntimeError("no pipes")
        other.stdin.write(f"{teams[first].key}\n{teams[first].body.decode()}\n")
        other.stdin.flush()
        chance = random.Random(seed)  # noqa: S311  # spreads the load
        moments = {team: choose_moments(rate, seconds, chance) for team in others}
        asyncio.run(_call_at(moments, phase, url, teams))
        return Counter({int(status): count for status, count in json.load(other.stdout).items()})


async def _call_at(
    moments: Mapping[str, Sequence[float]], phase: Phase, url: str, teams: Mapping[str, Team]
) -> None:
    """Makes each of these teams call at its moments, whether or not its earlier calls are answered."""
    phase.milliseconds.update({name: [] for name in moments})
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session, asyncio.TaskGroup() as group:

        async def call(name: str) -> None:
            begun = time.perf_counter()
            team = teams[name]
            async with session.post(url, data=team.body, headers=team.headers) as answer:
                await answer.read()
            phase.statuses[answer.status] += 1
            if answer.status == OK:
                phase.milliseconds[name].append((time.perf_counter() - begun) * 1000)

        async def call_often(name: str) -> None:
            loop = asyncio.get_running_loop()
            start = loop.time()
            for moment in moments[name]:
                await asyncio.sleep(max(0.0, start + moment - loop.time()))
                group.create_task(call(name))

        for name in moments:
            group.create_task(call_often(name))
