"""What many streams at once cost: `make bench BENCH=streams`.

`--option streams=500` opens fewer. Gateways have core 0; the callers and the model share core 1.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import statistics
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING

import psutil

from bench.processes import free_port, pin, processor_seconds, start, wait_for_port
from bench.programs import stream_callers, ticking_model
from bench.scenario import Goal, Measured, Row, Run, Scenario
from bench.scenarios.gateway.calls import OPENAI_PATH, build_call
from bench.scenarios.gateway.ours import KEYED, start_ours
from bench.scenarios.gateway.peer import LOAD_CORES, Place, Running
from bench.scenarios.gateway.proxies import ENVOY, start_envoy
from centralized_ml_api.local.machine.descriptors import raise_descriptors

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

STREAMS = 2_000
OPENING_SECONDS = 5
"""Streams are opened over this time, which spreads their events over each second."""
SECONDS = 10
MORE_DESCRIPTORS = 200
"""What a gateway needs besides two for each stream."""
DIRECT, BARE, OURS = "directly from the model", ENVOY.name, "mlapi, /v1/chat/completions"
P99_RATIO = 2.0
MEMORY_RATIO = 2.0
BROKEN = "streams that broke or fell silent"
P99 = f"{OURS}: p99 of an event's delay / {BARE}"
MEMORY = f"{OURS}: memory a stream / {BARE}"


@dataclass(frozen=True, slots=True)
class Figures:
    """One way in one round: `kibibytes` a stream and `microseconds` an event are those of the gateway."""

    broken: int
    events: int
    p50: float
    p99: float
    slowest: float
    kibibytes: float | None
    microseconds: float | None


def measure(run: Run) -> Measured:
    """Opens the streams each way in turn.

    Raises:
        RuntimeError: A process may not have enough files open, or streams do not open.
    """
    streams = int(run.options.get("streams", STREAMS))
    require_descriptors(streams)
    figures: dict[str, list[Figures]] = {name: [] for name in WAYS}
    port, log = free_port(), run.folder / "model.log"
    model = [*pin(LOAD_CORES), sys.executable, ticking_model.__file__, str(port)]
    with start(model, log=log) as process:
        wait_for_port(port, process, log)
        for number in range(run.rounds):
            for place, (name, way) in enumerate(WAYS.items()):
                folder = run.folder / f"{number}-{place}"
                folder.mkdir()
                figures[name].append(measure_way(way, Place(folder, port, run.say), streams, bare=not place))
                run.say(f"round {number + 1} of {run.rounds}: {name}: {asdict(figures[name][-1])}")
    return Measured(
        goals=judge(figures),
        rows=[build_row(name, streams, rounds) for name, rounds in figures.items()],
        versions=ENVOY.versions(run.say),
        details={"rounds": {name: [asdict(each) for each in rounds] for name, rounds in figures.items()}},
    )


def require_descriptors(streams: int) -> None:
    """Raises how many files this process and its children may have open.

    Raises:
        RuntimeError: That is too few.
    """
    raise_descriptors()
    if shortage := word_shortage(streams, resource.getrlimit(resource.RLIMIT_NOFILE)[0]):
        raise RuntimeError(shortage)


def word_shortage(streams: int, most: int) -> str:
    """Says that a process may not have enough files open; nothing where it may. Pure."""
    needed = 2 * streams + MORE_DESCRIPTORS
    if most == resource.RLIM_INFINITY or most >= needed:
        return ""
    return f"{streams} streams need {needed} open files in a process, and {most} are allowed (ulimit -n)"


@contextlib.contextmanager
def call_directly(place: Place) -> Iterator[Running]:
    """Calls the model itself."""
    yield Running(build_call(place.upstream, OPENAI_PATH), os.getpid())


def measure_way(way: Way, place: Place, streams: int, *, bare: bool) -> Figures:
    """Opens the streams one way, and measures while they are open.

    Args:
        way: Starts what is called.
        place: Where it runs.
        streams: How many.
        bare: Whether there is no gateway.

    Raises:
        RuntimeError: Not all streams open; the message has what the callers said.
    """
    with way(place) as running:
        idle = memory(running.pid)
        call = {
            "url": running.call.url,
            "headers": dict(running.call.headers or {}),
            "body": json.dumps({**json.loads(running.call.body), "stream": True}),
        }
        options = [str(option) for option in (streams, OPENING_SECONDS, SECONDS)]
        command = [*pin(LOAD_CORES), sys.executable, "-m", stream_callers.__name__, *options]
        said = place.folder / "callers.log"
        with (
            said.open("w", encoding="utf-8") as log,
            subprocess.Popen(  # noqa: S603  # our own
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
            ) as callers,
        ):
            if callers.stdin is None or callers.stdout is None:
                raise RuntimeError("the callers have no pipes")
            callers.stdin.write(json.dumps(call) + "\n")
            callers.stdin.flush()
            opened = callers.stdout.readline()
            before = processor_seconds(running.pid)
            outcome = callers.stdout.readline() if opened.strip() == stream_callers.OPEN else ""
            used, held = processor_seconds(running.pid) - before, memory(running.pid)
            callers.stdin.close()  # only now do the streams end
        if not outcome:
            raise RuntimeError(f"not all streams opened:\n{said.read_text(encoding='utf-8')[-2000:]}")
    found = json.loads(outcome)
    return Figures(
        **found,
        kibibytes=None if bare else (held - idle) / streams / 1024,
        microseconds=None if bare else used / found["events"] * 1e6,
    )


def memory(pid: int) -> int:
    """Returns the bytes that a process and its descendants hold."""
    root = psutil.Process(pid)
    return sum(process.memory_info().rss for process in (root, *root.children(recursive=True)))


def build_row(name: str, streams: int, rounds: Sequence[Figures]) -> Row:
    """Builds a row of medians. Pure."""
    kibibytes = [each.kibibytes for each in rounds if each.kibibytes is not None]
    microseconds = [each.microseconds for each in rounds if each.microseconds is not None]
    return {
        "": name,
        "streams": streams,
        "broken": sum(each.broken for each in rounds),
        "delay p50 ms": round(statistics.median(each.p50 for each in rounds), 2),
        "p99 ms": round(statistics.median(each.p99 for each in rounds), 2),
        "p99 by round": word_range([each.p99 for each in rounds]),
        "slowest ms": round(max(each.slowest for each in rounds), 1),
        "KiB a stream": round(statistics.median(kibibytes), 1) if kibibytes else None,
        "CPU µs an event": round(statistics.median(microseconds), 1) if microseconds else None,
    }


def word_range(values: Sequence[float]) -> str:
    """Words the lowest and the highest value. Pure."""
    return f"{min(values):.2f} to {max(values):.2f}"


def judge(figures: Mapping[str, Sequence[Figures]]) -> list[Goal]:
    """Builds the goals. Pure."""
    pairs = list(zip(figures[OURS], figures[BARE], strict=True))
    late = statistics.median(ours.p99 / bare.p99 for ours, bare in pairs)
    held = statistics.median((ours.kibibytes or 0) / (bare.kibibytes or 1) for ours, bare in pairs)
    return [
        Goal(BROKEN, sum(each.broken for rounds in figures.values() for each in rounds), 0),
        Goal(P99, round(late, 2), P99_RATIO),
        Goal(MEMORY, round(held, 2), MEMORY_RATIO),
    ]


Way = Callable[[Place], AbstractContextManager[Running]]
"""Starts what is called, until its block ends."""

WAYS: dict[str, Way] = {
    DIRECT: call_directly,
    BARE: partial(start_envoy, timeout="0s"),
    OURS: partial(start_ours, event=KEYED, path=OPENAI_PATH, server_path=OPENAI_PATH),
}
"""In the order of the table; the first has no gateway."""

SCENARIO = Scenario(
    title="Many streams at once",
    about=(
        f"{STREAMS:,} streams are open at once, each with an event a second that says when it was sent: "
        "directly from the model, through Envoy with one route and nothing else, and through "
        "`/v1/chat/completions` with 20 teams. The delay is from sending an event to reading it, and "
        "includes what the callers and the model, which share the other core, need for "
        f"{STREAMS:,} events a second. "
        "Memory is what all processes of the gateway hold more than before the streams were opened, divided "
        "by their number. The 200 latest events of a round decide its p99, which differs between rounds: so "
        "the goal is about the median of the rounds' ratios."
    ),
    rounds=7,  # the p99 of either side varies too much for two
    fewest_rounds=1,
    measure=measure,
)
