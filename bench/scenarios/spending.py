"""What limits in tokens and dollars cost a call: `make bench BENCH=spending`.

Two APIs before a model that returns its input, in which the tokens of the call are reported.
"""

from __future__ import annotations

import contextlib
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
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

ADDED_MILLISECONDS = 0.5
BESIDE_OTHERS = 1.03
"""The most processor time of a team without limits beside one with some, per that where nobody has any."""
SECONDS = 2
CONNECTIONS = 1
MEASURED_CORE, OTHER_CORE = "0", "1"
NAME = "echo"
NONE, BESIDE, LIMITED = (
    "no limits in the config",
    "a team without limits, beside one that has some",
    "a team with limits",
)
APIS = {"free": {NONE: "red"}, "some": {BESIDE: "red", LIMITED: "blue"}}
"""By API, its callers with their teams."""
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
    """Calls in turn, for a moment each, so that whatever else the machine does slows all callers alike."""
    require_wrk(run.say)
    seconds = int(run.options.get("seconds", SECONDS))
    found: dict[str, list[tuple[float, float]]] = {NONE: [], BESIDE: [], LIMITED: []}
    with serving(run.folder) as callers:
        for number in range(-1, run.rounds):
            for kind, figures in found.items():
                milliseconds, micros = call(callers[kind], run.folder, seconds)
                if number >= 0:  # the first calls of each warm up
                    figures.append((milliseconds, micros))
            if number >= 0:
                told = (f"{each[-1][0]:.2f} ms, {each[-1][1]:.0f} µs" for each in found.values())
                run.say(f"round {number + 1}: {'; '.join(told)}")
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


@record
class Caller:
    """What one team calls, and the process of the API that answers."""

    asked: Call
    pid: int


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[dict[str, Caller]]:
    """Serves an API without limits, and one in which one of two teams has some; yields who calls them."""
    port, log = free_port(), folder / "model.log"
    model = [*pin(OTHER_CORE), sys.executable, echo_model.__file__, str(port)]
    callers = {}
    with contextlib.ExitStack() as stack:
        process = stack.enter_context(start(model, log=log))
        wait_for_port(port, process, log)
        for name, kinds in APIS.items():
            own = folder / name
            own.mkdir()
            config = build_config(port, LIMITS if LIMITED in kinds else {})
            url = stack.enter_context(serve(config, own, prefix=pin(MEASURED_CORE)))
            keys = LocalKeys(KeyStore(own / ".mlapi"))
            for kind, team in kinds.items():
                headers = {"x-api-key": keys.show(team), "content-type": "application/json"}
                callers[kind] = Caller(Call(f"{url}/{NAME}", BODY, headers), supervisor_of(own))
        yield callers


def call(caller: Caller, folder: Path, seconds: int) -> tuple[float, float]:
    """Returns the milliseconds of a call (p50), and its microseconds of processor time.

    Raises:
        RuntimeError: A call was refused.
    """
    before = processor_seconds(caller.pid)
    load = run_load(caller.asked, connections=CONNECTIONS, seconds=seconds, folder=folder, cores=OTHER_CORE)
    used = processor_seconds(caller.pid) - before
    if load.bad or load.broken:
        raise RuntimeError(f"{load.bad} calls were refused, {load.broken} had no answer")
    return load.p50_milliseconds, used / load.calls * 1e6


def build_config(model_port: int, limits: Mapping[str, int]) -> dict[str, Any]:
    """Builds the config of a team without limits, `red`, and of one with these, `blue`."""
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
    return {"endpoints": [entry], "event": {"teams": [{"name": "red"}, {"name": "blue", **limits}], **rate}}


SCENARIO = Scenario(
    title="What limits in tokens and dollars cost",
    about=(
        "One caller calls an entry whose model returns its input, one call after the other, through the same "
        "API without such limits, as a team without limits beside one that has some, and as a team with "
        "limits in tokens and in dollars, whose reservations are on the disk before the call goes on. "
        "Processor time is that of `mlapi up` with all its processes."
    ),
    rounds=20,
    measure=measure,
)
