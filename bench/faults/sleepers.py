"""Faults caused while a model wakes and calls wait for it, and what each costs its callers."""

from __future__ import annotations

import contextlib
import fcntl
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.faults.api import GATE, NEIGHBOUR, SLEEPER, Api
from bench.faults.callers import calling
from bench.faults.steps import SETTLE_SECONDS, Step, wait_for_calls
from bench.programs import gated_model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.faults.callers import Tally
    from centralized_ml_api.local.status import EntryStatus

PAUSE_SECONDS = 0.1
"""How long a connection pauses between two calls."""
_LOOK_SECONDS = 0.02


def _nothing(_: Api) -> None:
    """Does nothing."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens while calls wait for a model that wakes.

    `act` causes it, and `mend` ends it once the model may answer. `kills` as in `Step`. `loses` says whether
    the calls that wait are under way in what is killed; all others must be answered.
    """

    name: str
    act: Callable[[Api], None] = _nothing
    mend: Callable[[Api], None] = _nothing
    kills: bool = False
    loses: bool = False


def _replace(api: Api) -> None:
    config = json.loads((api.folder / "models.json").read_text(encoding="utf-8"))
    entry = next(entry for entry in config["models"] if entry["name"] == SLEEPER)
    entry["local"]["run"].append("another-version")
    api.write_config(config)
    api.reload()


def _fail(api: Api) -> None:
    (api.folder / GATE).write_text(gated_model.FAIL, encoding="utf-8")


def _mend(api: Api) -> None:
    wait_for_sleeper(api, lambda entry: entry.state == "failed")
    (api.folder / GATE).write_text("", encoding="utf-8")
    api.control().wake(SLEEPER)


FAULTS = (
    Fault("a reload replaces a model that wakes", _replace),
    Fault("a model that wakes does not start", _fail, _mend, kills=True),
    Fault("kill -9 of a model that wakes", lambda api: api.kill(api.servers(SLEEPER)[0]), kills=True),
    Fault("kill -9 of the service that holds calls", lambda api: api.kill(api.admission()), kills=True),
    Fault(
        "kill -9 of the gateway while a model wakes",
        lambda api: api.kill(api.gateway()),
        kills=True,
        loses=True,
    ),
)


def disturb(api: Api, fault: Fault, connections: int) -> Step:
    """Causes a fault while as many calls wait for the model, then waits until as many are answered."""
    put_to_sleep(api)
    with calling(api.port, [SLEEPER], connections, PAUSE_SECONDS) as tally:
        with closed_gate(api):
            wait_until_held(api, connections)
            begun = time.monotonic()
            with tally.killing() if fault.kills else contextlib.nullcontext():
                fault.act(api)
        fault.mend(api)
        wait_for_calls(tally, connections)
        api.note()
        seconds = time.monotonic() - begun
    return Step(fault.name, 1, tally, seconds, fault.kills)


def kill_supervisor(api: Api, tally: Tally, connections: int, held: int) -> tuple[Step, Tally, int]:
    """Kills the supervisor while a model wakes, which ends all processes, and runs `mlapi up` again.

    Returns the step, the outcomes of the calls to the model that wakes, which the step has too, and how many
    processes were left.

    Args:
        api: What runs.
        tally: The outcomes of the calls to models that are awake.
        connections: How many make these calls.
        held: How many call the model that wakes.
    """
    put_to_sleep(api)
    with calling(api.port, [SLEEPER], held, PAUSE_SECONDS) as waiting:
        with closed_gate(api):
            wait_until_held(api, held)
            before, begun = tally.copy(), time.monotonic()
            with tally.killing(), waiting.killing():
                api.kill(api.supervisor)
                left = len(api.list_left())
        api.start()
        api.wait_well()
        wait_for_calls(tally, connections)
        wait_for_calls(waiting, held)
        seconds = time.monotonic() - begun
    fault = "kill -9 of the supervisor while a model wakes, then `mlapi up`"
    return Step(fault, 1, tally - before + waiting, seconds), waiting, left


def take_turns(api: Api, connections: int, seconds: float) -> tuple[Step, int]:
    """Calls both models of the place all the time, each on half of the connections.

    Returns the step, and how many of the two got no answer at all.
    """
    begun = time.monotonic()
    with (
        calling(api.port, [SLEEPER], connections // 2, PAUSE_SECONDS) as one,
        calling(api.port, [NEIGHBOUR], connections // 2, PAUSE_SECONDS) as other,
    ):
        time.sleep(seconds)
    tallies: tuple[Tally, ...] = (one, other)
    starved = sum(not tally.answered for tally in tallies)
    return Step("two models take turns", 1, one + other, time.monotonic() - begun, kills=False), starved


@contextlib.contextmanager
def waking(api: Api) -> Iterator[None]:
    """Has the model wake, without a call that waits for it, until the block ends."""
    with closed_gate(api):
        api.control().wake(SLEEPER)
        wait_until_held(api, 0)
        yield


@contextlib.contextmanager
def closed_gate(api: Api) -> Iterator[None]:
    """Lets no start of the model come to its end meanwhile."""
    with (api.folder / GATE).open(encoding="utf-8") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        yield


def put_to_sleep(api: Api) -> None:
    """Lets the model sleep; nobody may call it meanwhile."""
    api.control().sleep(SLEEPER)
    wait_for_sleeper(api, lambda entry: entry.state == "asleep")


def wait_until_held(api: Api, connections: int) -> None:
    """Waits until as many calls wait for the model, whose process runs and does not answer yet."""
    wait_for_sleeper(
        api,
        lambda entry: (entry.state, entry.waiting) == ("waking", connections) and any(entry.parts[0].pids),
    )
    api.note()


def wait_for_sleeper(api: Api, is_so: Callable[[EntryStatus], bool]) -> None:
    """Waits until the model is so.

    Raises:
        RuntimeError: It is not in time.
    """
    end = time.monotonic() + SETTLE_SECONDS
    while not is_so(entry := next(entry for entry in api.status().entries if entry.name == SLEEPER)):
        if time.monotonic() > end:
            raise RuntimeError(f"within {SETTLE_SECONDS:g} s, the model did not become so: {entry}")
        time.sleep(_LOOK_SECONDS)
