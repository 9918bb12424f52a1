"""How far one machine scales in entries and teams: `make bench BENCH=scale`.

Entries are servers that already run: an nginx at as many addresses of loopback. `--option entries=1000`
leaves larger sizes out, and those with more teams; `--option chats=100` those with more entries that chat,
for which Envoy needs most of the time.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from bench.load import require_wrk, run_load
from bench.many_entries import Size, build_config, start_models
from bench.processes import free_port, on_cores, processor_seconds
from bench.scaling import Figures, Serving, build_growth, build_row, judge, predict_mebibytes
from bench.scenario import Measured, Run, Scenario
from bench.scenarios.gateway.calls import OPENAI_PATH, build_call, wait_for_answer
from bench.scenarios.gateway.peer import GATEWAY_CORES, LOAD_CORES, Place
from bench.scenarios.gateway.proxies import ENVOY
from bench.serving import MLAPI, serve, supervisor_of
from centralized_ml_api.local.keys import KeyStore, LocalKeys
from centralized_ml_api.local.machine.descriptors import raise_descriptors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.load import Call

CONNECTIONS = 32
LOAD_SECONDS, IDLE_SECONDS = 2, 3
MEBIBYTE = 1024 * 1024
_LONGEST = 200
SPARE = 0.8
"""The share of the free memory that a size may need."""
DURING_RELOAD = 1.5
"""For a moment, the gateway holds what it served and what it is to serve; some of that it keeps."""


SIZES = (
    Size(100, 20),
    Size(1000, 20),
    Size(5000, 20),
    Size(100, 1000),
    Size(100, 5000),
    Size(100, 20, chats=True),
    Size(1000, 20, chats=True),
    Size(5000, 20, chats=True),
    Size(100, 20, chats=True, limits=True),
    Size(100, 1000, chats=True, limits=True),
    Size(100, 5000, chats=True, limits=True),
)
"""In the order of the table; of each kind the smaller first, from which the need of the next is told."""

START_SECONDS = 600
"""How long a start may take here."""


def measure(run: Run) -> Measured:
    """Serves each size in turn."""
    require_wrk(run.say)
    raise_descriptors()
    sizes = choose_sizes(run.options)
    figures: dict[Size, list[Figures]] = {size: [] for size in sizes}
    for number in range(run.rounds):
        for size in sizes:
            folder = run.folder / f"{number}-{sizes.index(size)}"
            folder.mkdir()
            needed = predict_mebibytes(size, figures)
            figures[size].append(measure_size(size, Place(folder, free_port(), run.say), needed))
            run.say(f"round {number + 1} of {run.rounds}: {size.name}: {figures[size][-1]}")
    return Measured(
        goals=judge(figures),
        rows=[*(build_row(size, rounds) for size, rounds in figures.items()), *build_growth(figures)],
        versions=ENVOY.versions(run.say),
        details={
            "rounds": {size.name: [asdict(each) for each in rounds] for size, rounds in figures.items()}
        },
    )


def choose_sizes(options: Mapping[str, str]) -> list[Size]:
    """Returns the sizes that are neither larger than `entries` nor have more than so many `chats`. Pure."""
    largest = int(options.get("entries", max(size.entries for size in SIZES)))
    chats = int(options.get("chats", largest))
    return [
        size
        for size in SIZES
        if max(size.entries, size.teams) <= largest and (not size.chats or size.entries <= chats)
    ]


def measure_size(size: Size, place: Place, needed: float | None) -> Figures:
    """Checks and serves one size.

    Args:
        size: The size.
        place: Where it is served; its port is that of the models.
        needed: The MiB that the gateway will hold, where that is known.
    """
    config = build_config(size, place.upstream)
    file = place.folder / "checked.json"
    file.write_text(json.dumps(config), encoding="utf-8")
    before = os.times()
    time_command([*MLAPI, "check", "--offline", str(file)])
    seconds = sum(os.times()[2:4]) - sum(before[2:4])  # of children that have ended
    free = psutil.virtual_memory().available / MEBIBYTE
    if needed is not None and DURING_RELOAD * needed > SPARE * free:
        gibibytes = DURING_RELOAD * needed / 1024
        return Figures(seconds, f"a reload would need {gibibytes:.0f} GiB, and {free / 1024:.0f} are free")
    try:
        with start_models(place, size.entries + 1):
            return Figures(seconds, serving=measure_serving(size, config, place))
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        return Figures(seconds, word_stop(error), failed=True)


def word_stop(error: RuntimeError | subprocess.TimeoutExpired) -> str:
    """Returns in a line why a size was not served. Pure."""
    if isinstance(error, subprocess.TimeoutExpired):
        return f"it did not start within {error.timeout:g} s"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = next((line for line in lines if line.startswith("error: ")), lines[-1])
    return said[:_LONGEST]


def measure_serving(size: Size, config: dict[str, Any], place: Place) -> Serving:
    """Starts, calls, and reloads with an entry more.

    Raises:
        RuntimeError: It does not start, reload or answer.
        subprocess.TimeoutExpired: It does not start in time.
    """
    folder, begun = place.folder, time.perf_counter()
    with serve(config, folder, start_seconds=START_SECONDS) as address:
        start_seconds = time.perf_counter() - begun
        supervisor, port = supervisor_of(folder), int(address.rpartition(":")[2])
        start_cpu_seconds = processor_seconds(supervisor)
        envoy = find_envoy_of(supervisor)
        key = LocalKeys(KeyStore(folder / ".mlapi")).show("team-0")
        last = f"m-{size.entries - 1}"
        own = build_call(port, f"/{last}", key)
        wait_for_answer(own)
        idle_share = measure_idle(supervisor)
        with on_cores(envoy.pid, GATEWAY_CORES):
            own_microseconds = measure_call(own, envoy.pid, folder)
            v1_microseconds = None
            if size.chats:
                v1_microseconds = measure_call(
                    build_call(port, OPENAI_PATH, key, model=last), envoy.pid, folder
                )
        gateway, others = envoy.memory_info().rss, memory_beside(supervisor, envoy.pid)
        routes = (folder / ".mlapi/gateway/routes.json").stat().st_size
        file = folder / "larger.json"
        larger = build_config(replace(size, entries=size.entries + 1), place.upstream)
        file.write_text(json.dumps(larger), encoding="utf-8")
        before = processor_seconds(supervisor)
        reload_seconds = time_command([*MLAPI, "reload", str(file), "--state", str(folder / ".mlapi")])
        reload_cpu_seconds = processor_seconds(supervisor) - before
        wait_for_answer(build_call(port, f"/m-{size.entries}", key))
        return Serving(
            start_seconds=round(start_seconds, 2),
            start_cpu_seconds=round(start_cpu_seconds, 2),
            reload_seconds=round(reload_seconds, 2),
            reload_cpu_seconds=round(reload_cpu_seconds, 2),
            routes_megabytes=round(routes / 1e6, 2),
            gateway_mebibytes=round(gateway / MEBIBYTE, 1),
            most_mebibytes=round(most_memory(envoy.pid) / MEBIBYTE, 1),
            others_mebibytes=round(others / MEBIBYTE, 1),
            idle_share=round(idle_share, 3),
            own_microseconds=round(own_microseconds, 1),
            v1_microseconds=None if v1_microseconds is None else round(v1_microseconds, 1),
        )


def time_command(command: Sequence[str]) -> float:
    """Returns the seconds from the execution to the exit.

    Raises:
        RuntimeError: The command failed; the message is what it said.
    """
    begun = time.perf_counter()
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603  # our own
    seconds = time.perf_counter() - begun
    if done.returncode:
        raise RuntimeError(f"{command[len(MLAPI)]}: {done.stderr.strip() or done.stdout.strip()}")
    return seconds


def find_envoy_of(supervisor: int) -> psutil.Process:
    """Returns the gateway's process.

    Raises:
        RuntimeError: There is none.
    """
    for process in psutil.Process(supervisor).children():
        if process.name() == "envoy":
            return process
    raise RuntimeError("mlapi up has no Envoy")


def measure_idle(supervisor: int) -> float:
    """Returns how much of a core all processes need while nobody calls."""
    before = processor_seconds(supervisor)
    time.sleep(IDLE_SECONDS)
    return (processor_seconds(supervisor) - before) / IDLE_SECONDS


def measure_call(call: Call, envoy: int, folder: Path) -> float:
    """Returns the microseconds of processor time that Envoy needs for a call.

    Raises:
        RuntimeError: A call failed.
    """
    wait_for_answer(call)
    before = processor_seconds(envoy)
    load = run_load(call, connections=CONNECTIONS, seconds=LOAD_SECONDS, folder=folder, cores=LOAD_CORES)
    used = processor_seconds(envoy) - before
    if load.bad or load.broken or not load.calls:
        raise RuntimeError(f"{call.url}: {load}")
    return used / load.calls * 1e6


def memory_beside(supervisor: int, envoy: int) -> int:
    """Returns the bytes that all processes but Envoy hold."""
    root = psutil.Process(supervisor)
    beside = [process for process in (root, *root.children(recursive=True)) if process.pid != envoy]
    return sum(process.memory_info().rss for process in beside)


def most_memory(pid: int) -> int:
    """Returns the most bytes that a process has held. Linux only."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


NOTES = """\
What an organizer with a thousand entries or teams meets:

- **A start** asks every server once whether it answers, and gives Envoy one table of routes, which Envoy
  reads once. No step takes longer for an entry among thousands than for one among a hundred, and Envoy has
  as long for a table as it takes.
- **A change** gives Envoy the whole table anew: another entry or key, or a server elsewhere that comes or
  goes, which `/health` says. That takes about as long as a start. Calls go on meanwhile by the table
  before, and whatever else changes until then comes with the next one.
- **Memory**: for a moment the gateway holds two tables, see `most MiB`. What it may hold follows from the
  table that it starts with, so start an API again that has grown a hundredfold.
- **Chats** take the most: each has some forty routes, and nine times as much of the table as another entry.
- **A call** costs the same at an entry's own path. Under `/v1`, the `model` of a body is compared with one
  name after another.
- **A team** is in one list of keys, one of rates and one of limits, whatever the number of entries. Only
  entries that not everybody may call, because of a team's `models`, have a list of keys each: with 1,000
  teams, the table of 100 such entries is 38 MB long instead of 2. What a call costs does not grow with the
  teams, nor what a limit costs: the admission service is asked about each call of a team with tokens a day or
  a number of calls at once, among twenty as among thousands.
- **Servers elsewhere** are looked at fifty times a second together, and each once, however many entries it is
  behind: 1,000 servers every twenty seconds each.
- **A config** has room for some 8,000 entries: it may be 1 MiB long.

What a call costs is measured for two seconds in a round, and differs by more between the rows than entries
or teams make it: [counted in instructions](gateway.md#how-far-it-scales), a call costs the same among
thousands of either. The time while nobody calls is that of the seconds after the start, in which the config
is compared once more with what is served. When this was measured, `mlapi up --detach` looked at the status
less often the longer an answer took: of the starts of more than seven seconds, up to five were its last
pause. Now it returns once the API is announced.
"""

SCENARIO = Scenario(
    title="How far one machine scales",
    about=(
        "APIs with more and more entries, and with more and more teams, each with a key and a rate: how long "
        "`mlapi check`, a start and a reload with one entry more take, what the gateway and all other "
        "processes hold, what they need while nobody calls, and what a call costs the gateway at the path "
        "of the last entry and, for chats, under `/v1` by its name. CPU seconds are those of all processes: "
        "a busy machine changes them less than it does seconds. The last rows say how each figure grows: "
        "what 1,000 entries or teams more take. Teams with limits have tokens a day and a number of calls "
        "at once. Entries are servers that already run, so that one machine can hold them. Chats have the "
        "paths of OpenAI's and of Anthropic's API. `most MiB` includes the reload, while the gateway holds "
        "what it served and what it is to serve. A size of which the memory for this is not there is checked "
        "and not served."
    ),
    notes=NOTES,
    rounds=3,
    fewest_rounds=1,
    measure=measure,
)
