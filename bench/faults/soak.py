"""Causes everything that can go wrong, in turn, to one API under steady load."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from threading import Thread
from typing import TYPE_CHECKING

from bench.faults import figures, slow
from bench.faults.api import FUNCTION_ENTRY, MODEL, REPLICATED, start_api
from bench.faults.callers import Tally, calling
from bench.faults.configs import Refusals, refuse_many
from bench.faults.hosts import lose_hosts
from bench.faults.malformed import Replies, send_malformed
from bench.faults.racing import Raced, race
from bench.faults.scarce import crowd, fill_disk, without_descriptors
from bench.faults.sleepers import FAULTS, disturb, kill_supervisor, put_to_sleep, take_turns, waking
from bench.faults.steps import Step, kill_each, reload_often, wait_for_calls

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.faults.api import Api

ROOT = Path(__file__).resolve().parents[2]
ENTRIES = (MODEL, REPLICATED, REPLICATED, REPLICATED, FUNCTION_ENTRY)
"""The entries that each five connections call."""
MALFORMED_PATHS = ["/model", "/function", "/", "/health", "/models", "/openapi.json", "/v1/models", "/nope"]
SEED = 7
LEAVES = frozenset(
    {
        ".gitignore",
        "gateway",
        "journal.jsonl",
        "lock",
        "logs",
        "started.json",
        "usage.db",
        "wake_times.json",
    }
)
"""The files that remain in a state folder when nothing runs."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How much of each fault."""

    connections: int
    pause_seconds: float
    """How long a connection pauses between two calls."""
    kills: int
    """How often each kind of process is killed."""
    reloads: int
    malformed: int
    dawdlers: Sequence[bytes]
    calm: int
    """How many calls to wait for before each share of the reloads."""
    samples: int
    """How often to sample what processes use; reloads and malformed requests are spread in between."""
    races: int
    crowd: int
    """Connections to a gateway that may open `scarce.FEW_FILES` files; 0 skips this."""
    fills_disk: bool
    """Whether to fill a disk, if this user may mount one."""
    configs: int
    held: int
    """How many calls wait for a model that wakes, at each fault that meets it then."""
    turns_seconds: float
    """How long two models take turns at one place; 0 skips this."""


FULL = Extent(
    connections=200,
    pause_seconds=1.0,
    kills=2,
    reloads=50,
    malformed=10_000,
    dawdlers=(slow.HEADERS,) * 100 + (slow.BODY, slow.FUNCTION_BODY) * 25,
    calm=2_000,
    samples=5,
    races=3,
    crowd=200,
    fills_disk=True,
    configs=10_000,
    held=20,
    turns_seconds=90,
)
SHORT = Extent(
    connections=40,
    pause_seconds=0.25,
    kills=1,
    reloads=2,
    malformed=400,
    dawdlers=(slow.HEADERS,) * 10,
    calm=60,
    samples=2,
    races=1,
    crowd=0,
    fills_disk=False,
    configs=100,
    held=3,
    turns_seconds=0,
)


@dataclass(slots=True)
class Soaked:
    """The outcome: `steps` in order, the `total` of all calls, the files `left` that should be gone."""

    steps: list[Step] = field(default_factory=list)
    total: Tally = field(default_factory=Tally)
    samples: list[figures.Sample] = field(default_factory=list)
    replies: Replies = field(default_factory=Replies)
    dawdled: slow.Dawdled = field(default_factory=slow.Dawdled)
    raced: Raced = field(default_factory=lambda: Raced(0, 0, ()))
    crowded: Tally = field(default_factory=Tally)
    refusals: Refusals = field(default_factory=Refusals)
    lost_while_waking: int = 0
    """Calls lost that waited for a model, and were not under way in what was killed."""
    starved: int = 0
    """Models without an answer while two took turns."""
    sent_twice: list[str] = field(default_factory=list)
    """Calls that reached two providers."""
    orphans: int = 0
    left: list[str] = field(default_factory=list)

    def add(self, step: Step) -> None:
        """Adds a step, to an earlier one with the same fault if there is one."""
        same = next((number for number, known in enumerate(self.steps) if known.fault == step.fault), None)
        if same is None:
            self.steps.append(step)
        else:
            self.steps[same] = self.steps[same] + step


def soak(folder: Path, extent: Extent, say: Callable[[str], None]) -> Soaked:
    """Causes all faults.

    Args:
        folder: An empty folder.
        extent: `FULL` or `SHORT`.
        say: Takes a line of progress.

    Raises:
        RuntimeError: Something does not recover at all.
    """
    soaked = Soaked()
    with contextlib.ExitStack() as end, start_api(folder / "api") as api:
        _wear(api, soaked, extent, say)
        _kill(api, soaked, extent, say)
        _wake(api, soaked, extent, say)
        _end_supervisor(api, soaked, extent, say)
        put_to_sleep(api)
        end.enter_context(waking(api))  # so `mlapi down` meets it
    soaked.orphans += len(api.list_left())
    soaked.left = list_leftovers(api)
    _lose_hosts(folder / "hosts", soaked, extent, say)
    if extent.fills_disk and (step := fill_disk(folder / "full", extent.connections)):
        _add(soaked, step, say)
        _sum(soaked, step.tally)
    if extent.crowd:
        soaked.crowded = crowd(folder / "crowd", extent.crowd)
    soaked.raced = race(folder / "races", extent.races)
    say(f"{extent.configs} broken configs")
    good = _lay_out(folder / "project")
    soaked.refusals = refuse_many(good, extent.configs, datetime.now(UTC))
    return soaked


def _kill(api: Api, soaked: Soaked, extent: Extent, say: Callable[[str], None]) -> None:
    with calling(api.port, ENTRIES, extent.connections, extent.pause_seconds) as tally:
        wait_for_calls(tally, extent.connections * 3)
        for step in kill_each(api, tally, extent.kills, extent.connections):
            _add(soaked, step, say)
        _add(soaked, without_descriptors(api, tally, extent.connections), say)
    _sum(soaked, tally)


def _wear(api: Api, soaked: Soaked, extent: Extent, say: Callable[[str], None]) -> None:
    """Causes what should have no lasting cost: equal shares between the samples."""
    dawdling = _Dawdling(api.port, extent.dawdlers)
    random = Random(SEED)  # noqa: S311  # the same every time
    for number in range(extent.samples):
        share = extent.reloads // extent.samples
        with calling(api.port, ENTRIES, extent.connections, extent.pause_seconds) as tally:
            wait_for_calls(tally, extent.calm)
            _add(soaked, reload_often(api, tally, share, first=1 + number * share), say)
            before = tally.copy()
            replies = asyncio.run(
                send_malformed(api.port, extent.malformed // extent.samples, random, MALFORMED_PATHS)
            )
            soaked.replies.add(replies)
            wait_for_calls(tally, extent.connections)
            _add(soaked, Step("malformed requests", replies.sent, tally - before, kills=False), say)
        _sum(soaked, tally)
        if number == extent.samples - 1:
            soaked.dawdled = dawdling.wait()
        soaked.samples.append(figures.take_sample(api, soaked.samples))
        say(f"at rest: {soaked.samples[-1]}")


def _wake(api: Api, soaked: Soaked, extent: Extent, say: Callable[[str], None]) -> None:
    for fault in FAULTS:
        step = disturb(api, fault, extent.held)
        _add(soaked, step, say)
        _sum(soaked, step.tally)
        soaked.lost_while_waking += 0 if fault.loses else step.tally.lost
    if extent.turns_seconds:
        step, soaked.starved = take_turns(api, extent.held, extent.turns_seconds)
        _add(soaked, step, say)
        _sum(soaked, step.tally)


def _end_supervisor(api: Api, soaked: Soaked, extent: Extent, say: Callable[[str], None]) -> None:
    with calling(api.port, ENTRIES, extent.connections, extent.pause_seconds) as tally:
        wait_for_calls(tally, extent.connections)
        step, waiting, orphans = kill_supervisor(api, tally, extent.connections, extent.held)
        _add(soaked, step, say)
        soaked.orphans += orphans
    _sum(soaked, tally + waiting)


def _lose_hosts(folder: Path, soaked: Soaked, extent: Extent, say: Callable[[str], None]) -> None:
    steps, tally, soaked.sent_twice = lose_hosts(
        folder, extent.kills, extent.connections, extent.pause_seconds
    )
    for step in steps:
        _add(soaked, step, say)
    _sum(soaked, tally)


class _Dawdling:
    """Slow clients, beside everything else."""

    def __init__(self, port: int, beginnings: Sequence[bytes]) -> None:
        self._dawdled = slow.Dawdled()
        self._thread = Thread(target=self._run, args=(port, beginnings))
        self._thread.start()

    def _run(self, port: int, beginnings: Sequence[bytes]) -> None:
        self._dawdled = asyncio.run(slow.dawdle(port, beginnings))

    def wait(self) -> slow.Dawdled:
        """Waits for all clients; returns their counts."""
        self._thread.join()
        return self._dawdled


def _add(soaked: Soaked, step: Step, say: Callable[[str], None]) -> None:
    soaked.add(step)
    tally = step.tally
    became = f"{tally.calls} calls, {tally.lost} lost, {tally.turned_away} turned away"
    say(f"{step.fault}, {step.times} times: {became}; {step.seconds:.1f} s")


def _sum(soaked: Soaked, tally: Tally) -> None:
    soaked.total += tally


def list_leftovers(api: Api) -> list[str]:
    """Returns what should be gone from the state folder and the folder for temporary files."""
    state = {path.name for path in api.state.iterdir()} - LEAVES
    sockets = {path.name for path in api.state.rglob("*") if path.is_socket()}
    return sorted(state | sockets | {path.name for path in api.temporary.iterdir()})


def _lay_out(folder: Path) -> Path:
    """Copies the showcase into its own project, with room for broken files beside it."""
    (folder / "config").mkdir(parents=True)
    for name in ("cdk.json", "functions", "models"):
        (folder / name).symlink_to(ROOT / name)
    good = folder / "config/showcase.json"
    good.write_text((ROOT / "config/showcase.json").read_text(encoding="utf-8"), encoding="utf-8")
    return good
