"""How many instructions a call costs the gateway: `make bench BENCH=instructions`.

They are counted with Valgrind's callgrind, in the thread of Envoy that serves a call, on one connection that
is kept. Nothing is measured in seconds, so other load does not matter. A second Envoy, with what `mlapi up`
wrote for its own, is the one that is counted.
"""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bench.callgrind import (
    count_instructions,
    own_envoy_files,
    require_valgrind,
    start_counted,
    valgrind_version,
)
from bench.processes import free_port
from bench.scenario import Goal, Measured, Row, Run, Scenario
from bench.scenarios.gateway import ours, proxies
from bench.scenarios.gateway.calls import OPENAI_PATH, build_call, wait_for_answer
from bench.scenarios.gateway.peer import Place
from bench.serving import PUBLIC_LIMIT, serve
from centralized_ml_api.local.envoy.settings import find_envoy
from centralized_ml_api.local.keys import KeyStore, LocalKeys

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from bench.load import Call

Counted = tuple[int, "Call"]
"""An Envoy under callgrind, by its process id, and what to send to it."""

BARE, PATH, OPENAI = "Envoy alone", "/{name}", OPENAI_PATH
OPENAI_GOAL, HOSTED_GOAL = 1.15, 1.3
"""The most that the choice of a model by the body may cost, and a provider on top of that."""

_FLAGS = (
    "--reject-unknown-dynamic-fields",
    "--disable-hot-restart",
    "--concurrency",
    "1",
    "--log-level",
    "error",
)


@dataclass(frozen=True, slots=True)
class Way:
    """A way to the model: `start` runs the gateway under callgrind until its block ends."""

    name: str
    start: Callable[[Place], AbstractContextManager[Counted]]


@contextlib.contextmanager
def count_bare(place: Place) -> Iterator[Counted]:
    """Runs an Envoy that only proxies."""
    port = free_port()
    with start_counted(
        _command(place.fill("envoy/bare.yaml", port=port, timeout="15s")), port, place.folder
    ) as pid:
        yield pid, build_call(port, OPENAI_PATH)


@contextlib.contextmanager
def serve_ours(place: Place, config: dict[str, Any], path: str) -> Iterator[tuple[Path, str | None]]:
    """Runs `mlapi up` until a call of the path is answered; yields the bootstrap of its Envoy, and a key."""
    served = place.folder / "served"
    served.mkdir()
    with serve(config, served) as address:
        has_teams = "teams" in config["event"]
        key = LocalKeys(KeyStore(served / ".mlapi")).show(ours.TEAM) if has_teams else None
        wait_for_answer(build_call(int(address.rpartition(":")[2]), path, key))
        (bootstrap,) = (served / ".mlapi").rglob("bootstrap.json")
        yield bootstrap, key


@contextlib.contextmanager
def count_ours(place: Place, *, config: Callable[[Place], dict[str, Any]], path: str) -> Iterator[Counted]:
    """Runs `mlapi up`, and a second Envoy with the same files; the second is called."""
    with serve_ours(place, config(place), path) as (bootstrap, key):
        port = free_port()
        with count_copy(own_envoy_files(bootstrap, place.folder, port), build_call(port, path, key)) as call:
            yield call


@contextlib.contextmanager
def count_copy(file: Path, call: Call) -> Iterator[Counted]:
    """Runs an Envoy with files that `own_envoy_files` has written, until a call of it is answered."""
    with start_counted(_command(file), urlsplit(call.url).port or 0, file.parent) as pid:
        wait_for_answer(call)  # it has read its routes
        yield pid, call


def _command(config: Path) -> list[str]:
    return [str(find_envoy()), "-c", str(config), *_FLAGS]


def _ours(name: str, path: str, event: Mapping[str, Any] = ours.KEYED) -> Way:
    return Way(
        name, partial(count_ours, config=lambda place: ours.build_config(place.upstream, event), path=path)
    )


WAYS = (
    Way(BARE, count_bare),
    _ours(PATH, "/model"),
    _ours(f"{PATH}, no keys", "/model", PUBLIC_LIMIT),
    _ours(OPENAI, OPENAI_PATH),
    _ours(f"{PATH}{OPENAI_PATH}", f"/model{OPENAI_PATH}"),
    Way(
        "a hosted model",
        partial(
            count_ours,
            config=lambda place: ours.build_hosted_config(place.upstream, place.folder),
            path=OPENAI_PATH,
        ),
    ),
)


def measure(run: Run) -> Measured:
    """Counts every way once in each round."""
    require_valgrind(run.say)
    counts: dict[str, list[float]] = {way.name: [] for way in WAYS}
    upstream = Place(run.folder / "model", free_port(), run.say)
    upstream.folder.mkdir()
    with proxies.start_upstream(upstream):
        for number in range(run.rounds):
            for position, way in enumerate(WAYS):
                folder = run.folder / f"{number}-{position}"
                folder.mkdir()
                with way.start(Place(folder, upstream.upstream, run.say)) as (pid, call):
                    counts[way.name].append(count_instructions(pid, call, folder))
                run.say(f"round {number + 1} of {run.rounds}: {way.name}: {counts[way.name][-1]:,.0f}")
    middle = {name: statistics.median(counted) for name, counted in counts.items()}
    return Measured(
        goals=[
            Goal(f"{OPENAI} / {PATH}", round(middle[OPENAI] / middle[PATH], 3), OPENAI_GOAL),
            Goal(
                f"a hosted model / {OPENAI}", round(middle["a hosted model"] / middle[OPENAI], 3), HOSTED_GOAL
            ),
        ],
        rows=[build_row(name, middle) for name in middle],
        versions={**proxies.ENVOY.versions(run.say), "valgrind": valgrind_version()},
        details={
            "instructions": {name: [round(count) for count in counted] for name, counted in counts.items()}
        },
    )


def build_row(name: str, middle: Mapping[str, float]) -> Row:
    """Builds a row of the table."""
    return {
        "": name,
        "thousand instructions": round(middle[name] / 1000, 1),
        "times Envoy alone": round(middle[name] / middle[BARE], 2),
        f"times {PATH}": round(middle[name] / middle[PATH], 2),
    }


SCENARIO = Scenario(
    title="What a call costs, in instructions",
    about=(
        "A time depends on what else the machine does, and on which day; a count of instructions does not.\n"
        "Valgrind counts those of the thread of Envoy that serves a call. The gateway is what `mlapi up`\n"
        "starts for 20 teams, with everything on. The admission service and Node.js are not counted."
    ),
    notes=(
        "[The gateway](gateway.md#what-a-call-costs) has such counts of what was tried: each row there is a\n"
        "change to the program, counted before and after it. To repeat one, make the change and run this.\n\n"
        "[Further below](gateway.md#how-far-it-scales) is why a call under `/v1` costs what it does."
    ),
    rounds=5,
    measure=measure,
)
