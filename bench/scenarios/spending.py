"""What limits in tokens and dollars cost a call: `make bench BENCH=spending`.

The same API three times, before a model that returns its input, in which the tokens of the call are reported.
"""

from __future__ import annotations

import json
import statistics
import sys
from typing import TYPE_CHECKING, Any

from bench.load import Call, require_wrk, run_load
from bench.processes import free_port, pin, processor_seconds, start, wait_for_port
from bench.programs import echo_model
from bench.scenario import Goal, Measured, Row, Run, Scenario
from bench.serving import serve, supervisor_of
from centralized_ml_api.local.keys import KeyStore, LocalKeys

if TYPE_CHECKING:
    from pathlib import Path

ADDED_MILLISECONDS = 0.5
BESIDE_OTHERS = 1.03
"""The most processor time of a team without limits beside one with some, per that where nobody has any."""
SECONDS = 10
CONNECTIONS = 1
MEASURED_CORE, OTHER_CORE = "0", "1"
NAME = "echo"
NONE, BESIDE, LIMITED = (
    "no limits in the config",
    "a team without limits, beside one that has some",
    "a team with limits",
)
LIMITS = {"tokens_per_day": 1_000_000_000_000, "usd": 1_000_000}
"""Far above what is called."""

BODY = json.dumps(
    {
        "messages": [{"role": "user", "content": "What is AWS?"}],
        "max_tokens": 50,
        "usage": {"prompt_tokens": 12, "completion_tokens": 50},
    }
)


def measure(run: Run) -> Measured:
    """Calls each API in turn, one call after the other."""
    require_wrk(run.say)
    seconds = int(run.options.get("seconds", SECONDS))
    found: dict[str, list[tuple[float, float]]] = {NONE: [], BESIDE: [], LIMITED: []}
    port, log = free_port(), run.folder / "model.log"
    model = [*pin(OTHER_CORE), sys.executable, echo_model.__file__, str(port)]
    with start(model, log=log) as process:
        wait_for_port(port, process, log)
        for number in range(run.rounds):
            for kind, figures in found.items():
                folder = run.folder / f"{number}-{len(kind)}"
                folder.mkdir()
                figures.append(call(kind, port, folder, seconds))
                run.say(f"round {number + 1}: {kind}: {figures[-1][0]:.2f} ms, {figures[-1][1]:.0f} µs")
    medians = {kind: tuple(map(statistics.median, zip(*each, strict=True))) for kind, each in found.items()}
    added = statistics.median(
        limited[0] - beside[0] for limited, beside in zip(found[LIMITED], found[BESIDE], strict=True)
    )
    ratio = statistics.median(
        beside[1] / none[1] for beside, none in zip(found[BESIDE], found[NONE], strict=True)
    )
    rows: list[Row] = [
        {"caller": kind, "p50 ms": round(milliseconds, 2), "µs of processor time a call": round(micros)}
        for kind, (milliseconds, micros) in medians.items()
    ]
    return Measured(
        goals=[
            Goal("milliseconds that limits add to a call, p50", round(added, 2), ADDED_MILLISECONDS),
            Goal(
                "processor time of a team without limits, beside others / alone",
                round(ratio, 3),
                BESIDE_OTHERS,
            ),
        ],
        rows=rows,
        details={"rounds": {kind: [[*each] for each in figures] for kind, figures in found.items()}},
    )


def call(kind: str, model_port: int, folder: Path, seconds: int) -> tuple[float, float]:
    """Returns the milliseconds of a call (p50), and its microseconds of processor time.

    Raises:
        RuntimeError: A call was refused.
    """
    with serve(build_config(kind, model_port), folder, prefix=pin(MEASURED_CORE)) as url:
        key = LocalKeys(KeyStore(folder / ".mlapi")).show("red")
        asked = Call(f"{url}/{NAME}", BODY, {"x-api-key": key, "content-type": "application/json"})
        pid = supervisor_of(folder)
        before = processor_seconds(pid)
        load = run_load(asked, connections=CONNECTIONS, seconds=seconds, folder=folder, cores=OTHER_CORE)
        used = processor_seconds(pid) - before
    if load.bad or load.broken:
        raise RuntimeError(f"{load.bad} calls were refused, {load.broken} had no answer")
    return load.p50_milliseconds, used / load.calls * 1e6


def build_config(kind: str, model_port: int) -> dict[str, Any]:
    """Builds the config; the team `red` calls."""
    own = LIMITS if kind == LIMITED else {}
    others = LIMITS if kind == BESIDE else {}
    rate = {"requests_per_second": 1_000_000, "burst": 1_000_000}
    entry = {
        "name": NAME,
        "integration": {"type": "api"},
        "price": {"input_per_million": 0.25, "output_per_million": 2},
        "local": {
            "engine": "url",
            "url": f"http://127.0.0.1:{model_port}/invocations",
            "speaks": "openai-chat",
        },
    }
    teams = [{"name": "red", **own}, {"name": "blue", **others}]
    return {"endpoints": [entry], "event": {"teams": teams, **rate}}


SCENARIO = Scenario(
    title="What limits in tokens and dollars cost",
    about=(
        "One caller calls an entry whose model returns its input, one call after the other, through the same "
        "API without such limits, as a team without limits beside one that has some, and as a team with "
        "limits in tokens and in dollars, whose reservations are on the disk before the call goes on. "
        "Processor time is that of `mlapi up` with all its processes."
    ),
    rounds=5,
    measure=measure,
)
