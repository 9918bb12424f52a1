"""Teams that call one model at a steady pace, while one of them may send as much as it can."""

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

SHUFFLES = 51

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


def worst_ratio(quiet: Phase, flooded: Phase) -> float:
    """Returns the p95 of the team that suffers most from a flood, as a multiple of its quiet p95."""
    return max(
        p95(flooded.milliseconds[team]) / p95(milliseconds)
        for team, milliseconds in quiet.milliseconds.items()
    )


def worst_ratio_by_chance(quiet: Phase, flooded: Phase) -> float:
    """Returns what `worst_ratio` tends to be where a flood changes nothing: the median of many shuffles.

    In each shuffle the calls of a team, from both phases, are dealt out to two phases of the same lengths.
    """
    chance = random.Random(0)  # noqa: S311  # decides nothing
    return statistics.median(
        worst_ratio(*_shuffle(quiet.milliseconds, flooded.milliseconds, chance)) for _ in range(SHUFFLES)
    )


def _shuffle(
    first: Mapping[str, list[float]], second: Mapping[str, list[float]], chance: random.Random
) -> tuple[Phase, Phase]:
    phases = Phase("first"), Phase("second")
    for team, milliseconds in first.items():
        calls = [*milliseconds, *second[team]]
        chance.shuffle(calls)
        phases[0].milliseconds[team] = calls[: len(milliseconds)]
        phases[1].milliseconds[team] = calls[len(milliseconds) :]
    return phases


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
        starts = {team: chance.uniform(0, 1 / rate) for team in others}
        asyncio.run(
            _call_evenly(phase, url, {team: teams[team] for team in others}, rate, seconds, starts=starts)
        )
        return Counter({int(status): count for status, count in json.load(other.stdout).items()})


async def _call_evenly(
    phase: Phase,
    url: str,
    teams: Mapping[str, Team],
    rate: float,
    seconds: float,
    *,
    starts: Mapping[str, float],
) -> None:
    """Makes every team call at `rate` from its start on, in seconds; waiting does not slow a team's calls."""
    phase.milliseconds.update({name: [] for name in teams})
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
            start = loop.time() + starts[name]
            for number in range(int(seconds * rate)):
                await asyncio.sleep(max(0.0, start + number / rate - loop.time()))
                group.create_task(call(name))

        for name in teams:
            group.create_task(call_often(name))
