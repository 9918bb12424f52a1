"""What models that sleep cost, and how long they take to wake: `make bench BENCH=sleeping`.

Nothing is pinned. The weights are on the disk and have been read before.
"""

from __future__ import annotations

import contextlib
import json
import statistics
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psutil
import urllib3

from bench import language_model
from bench.chat_calls import Question, ask, time_first_word
from bench.processes import free_port
from bench.programs import slow_model
from bench.scenario import Goal, Measured, Row, Run, Scenario
from bench.scenarios.start import Start, time_start
from bench.serving import PUBLIC_LIMIT, serve, supervisor_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

WAKE_RATIO, MEMORY_RATIO, SHARED_RATIO = 1.15, 1.05, 0.8
SLEEPERS = 10
CALLERS = 4
"""Of each model of a group; the model answers two at a time, so it always has something to do."""
ANSWER_SECONDS = 0.2
WINDOW_SECONDS = 120
ASLEEP_SECONDS = 60
LOOK_SECONDS = 0.02

BARE = "the model server alone, to its first token"
WOKEN = "a call to the model that sleeps, to its first token"
EMPTY = "one model"
SLEEPING = f"one model, and {SLEEPERS} that sleep"
ALONE = "the best possible schedule: one model that is always awake"
SHARED = "two models in one group under a mixed load"


def measure(run: Run) -> Measured:
    """Measures wakes, memory and turns, one round after the other."""
    weights = language_model.find_weights(run.say)
    window = float(run.options.get("seconds", WINDOW_SECONDS))
    seconds: dict[str, list[float]] = {BARE: [], WOKEN: []}
    for number in range(run.rounds + 1):  # the first is not counted: nothing has been read yet
        taken = {BARE: time_bare(weights, run.folder), WOKEN: time_wake(new_folder(run.folder))}
        run.say(f"round {number} of {run.rounds}: a wake {taken[WOKEN]:.2f} s, a start {taken[BARE]:.2f} s")
        for name in taken if number else ():
            seconds[name].append(taken[name])
    mebibytes = {EMPTY: measure_memory(0, run.folder), SLEEPING: measure_memory(SLEEPERS, run.folder)}
    run.say(f"memory: {mebibytes[EMPTY]:.0f} MiB, with sleepers {mebibytes[SLEEPING]:.0f} MiB")
    calls = {
        ALONE: count_calls(["a"], new_folder(run.folder), window),
        SHARED: count_calls(["a", "b"], new_folder(run.folder), window),
    }
    run.say(f"answers a second: {calls[ALONE]:.1f} alone, {calls[SHARED]:.1f} of two in one group")
    return Measured(
        goals=judge(seconds, mebibytes, calls),
        rows=build_rows(seconds, mebibytes, calls),
        versions=language_model.describe_versions(),
        details={"seconds": {name: [round(each, 4) for each in all_] for name, all_ in seconds.items()}},
    )


def new_folder(folder: Path) -> Path:
    """Makes a folder that nothing has used yet."""
    new = folder / f"{time.monotonic_ns()}"
    new.mkdir()
    return new


def time_bare(weights: Path, folder: Path) -> float:
    """Returns the seconds from the execution of the model's server to its first token."""
    launch = language_model.build_launch(weights, free_port(), folder)
    question = Question(int(launch.argv[-1]), language_model.CHAT_PATH, build_chat())
    return time_start(Start(launch.argv, question, launch.environment), folder)


def time_wake(folder: Path) -> float:
    """Returns the seconds from a call to the model that sleeps to its first token."""
    entry = language_model.build_config(function=False)["models"][0]
    entry["local"] = {**entry["local"], "starts": "on-call", "idle": "1h"}
    with serve({"models": [entry], "event": PUBLIC_LIMIT}, folder) as url:
        port = urlsplit(url).port or 0
        return time_first_word(Question(port, language_model.CHAT_PATH, {**build_chat(), "stream": True}))


def build_chat() -> dict[str, Any]:
    """Builds a chat whose answer is one token."""
    return {
        "model": language_model.NAME,
        "messages": [{"role": "user", "content": "Hi"}],
        "max_tokens": 1,
    }


def measure_memory(sleepers: int, folder: Path) -> float:
    """Returns the MiB of `mlapi up` with all its processes, beside so many models that sleep."""
    entries = [build_entry("awake"), *(build_entry(f"s-{number}", idle="1s") for number in range(sleepers))]
    own = new_folder(folder)
    with serve({"endpoints": entries, "event": PUBLIC_LIMIT}, own) as url:
        wait_until_all_sleep(url, sleepers)
        root = psutil.Process(supervisor_of(own))
        wait_until_models_end(root, left=1)
        processes = [root, *root.children(recursive=True)]
        return sum(process.memory_full_info().pss for process in processes) / 2**20


def build_entry(name: str, **local: str) -> dict[str, Any]:
    """Builds an entry that a slow model serves."""
    run = [sys.executable, slow_model.__file__, "{port}", str(ANSWER_SECONDS)]
    block = {"engine": "command", "run": run, **local}
    return {"name": name, "integration": {"type": "api"}, "local": block}


def wait_until_all_sleep(url: str, count: int) -> None:
    """Waits until that many entries sleep.

    Raises:
        TimeoutError: They do not.
    """
    port, end = urlsplit(url).port or 0, time.monotonic() + ASLEEP_SECONDS
    while len(read_health(port).get("asleep", {})) < count:
        if time.monotonic() > end:
            raise TimeoutError(f"{count} entries do not all sleep")
        time.sleep(LOOK_SECONDS)


def wait_until_models_end(root: psutil.Process, *, left: int) -> None:
    """Waits until the processes of models that have gone to sleep are gone, too.

    Raises:
        TimeoutError: They are not.
    """
    end = time.monotonic() + ASLEEP_SECONDS
    while count_models(root) > left:
        if time.monotonic() > end:
            raise TimeoutError("models that sleep still have processes")
        time.sleep(LOOK_SECONDS)


def count_models(root: psutil.Process) -> int:
    """Counts the processes of models below a supervisor."""
    count = 0
    for process in root.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            count += slow_model.__file__ in process.cmdline()
    return count


def read_health(port: int) -> Any:
    """Returns what `/health` says."""
    return json.loads(urllib3.request("GET", f"http://127.0.0.1:{port}/health", retries=False).data)


def count_calls(names: list[str], folder: Path, seconds: float) -> float:
    """Returns the answers per second of all models, each called without a pause by `CALLERS`."""
    shares = {"shares": "place"} if len(names) > 1 else {}
    config = {"endpoints": [build_entry(name, **shares) for name in names], "event": PUBLIC_LIMIT}
    with serve(config, folder) as url:
        port, stop = urlsplit(url).port or 0, threading.Event()
        with ThreadPoolExecutor(CALLERS * len(names)) as callers:
            called = [
                callers.submit(call_until, stop, Question(port, f"/{name}", {}))
                for name in names
                for _ in range(CALLERS)
            ]
            stop.wait(seconds)
            stop.set()
            return sum(each.result() for each in called) / seconds


def call_until(stop: threading.Event, question: Question) -> int:
    """Returns how many calls were answered until then; one that is told to come back waits a second."""
    answered = 0
    while not stop.is_set():
        try:
            ask(question)
        except RuntimeError:
            stop.wait(1)
        else:
            answered += 1
    return answered


def judge(
    seconds: Mapping[str, list[float]], mebibytes: Mapping[str, float], calls: Mapping[str, float]
) -> list[Goal]:
    """Builds the goals. Pure."""
    wakes = statistics.median(woken / bare for woken, bare in zip(seconds[WOKEN], seconds[BARE], strict=True))
    return [
        Goal(f"{WOKEN} / {BARE}", round(wakes, 2), WAKE_RATIO),
        Goal(f"MiB, {SLEEPING} / {EMPTY}", round(mebibytes[SLEEPING] / mebibytes[EMPTY], 2), MEMORY_RATIO),
        Goal(
            f"answers a second, {SHARED} / {ALONE}",
            round(calls[SHARED] / calls[ALONE], 2),
            SHARED_RATIO,
            at_least=True,
        ),
    ]


def build_rows(
    seconds: Mapping[str, list[float]], mebibytes: Mapping[str, float], calls: Mapping[str, float]
) -> list[Row]:
    """Builds a row for each measured thing. Pure."""
    medians = {name: statistics.median(all_) for name, all_ in seconds.items()}
    units = (("s", 3, medians), ("MiB", None, mebibytes), ("answers a second", 1, calls))
    return [
        {"what": name, "measured": round(value, digits), "unit": unit}
        for unit, digits, values in units
        for name, value in values.items()
    ]


SCENARIO = Scenario(
    title="What models that sleep cost",
    about=(
        "The time from a call to a language model that sleeps to its first token, beside the time that the "
        "model's server alone takes from its execution. The memory of `mlapi up` with all its processes, "
        f"with one model awake and {SLEEPERS} asleep, beside that of the one model. And the answers per "
        f"second of two models in one group under a mixed load, each called without a pause by {CALLERS} "
        "callers, beside those of the best possible schedule: one model that is always awake, since of two "
        "only one runs at a time."
    ),
    rounds=5,
    measure=measure,
)
