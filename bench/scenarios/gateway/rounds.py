"""One gateway in one round: started, checked, warmed up, loaded, called by a single caller, stopped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.load import Load, run_load
from bench.processes import processor_seconds
from bench.scenarios.gateway.calls import check_refusal, wait_for_answer
from bench.scenarios.gateway.peer import LOAD_CORES

if TYPE_CHECKING:
    from bench.scenarios.gateway.peer import Peer, Place, Running

CONNECTIONS = 32
LOAD_SECONDS = 3
ALONE_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Figures:
    """What one gateway did in one round: under load, and with a single caller."""

    load: Load
    alone: Load
    microseconds: float
    """Processor time per call under load."""

    @property
    def calls_a_cpu_second(self) -> float:
        """How many calls per second one core could pass on if it did nothing else."""
        return 1e6 / self.microseconds


def measure_peer(peer: Peer, place: Place) -> Figures:
    """Starts, measures and stops one gateway.

    Raises:
        RuntimeError: Its response is not the model's, or a call under load failed.
    """
    place.folder.mkdir()
    with peer.start(place) as running:
        wait_for_answer(running.call)
        if peer.keyed:
            check_refusal(running.call)
        _load(running, CONNECTIONS, peer.warm_seconds, place)
        before = processor_seconds(running.pid)
        load = _load(running, CONNECTIONS, LOAD_SECONDS, place)
        used = processor_seconds(running.pid) - before
        alone = _load(running, 1, ALONE_SECONDS, place)
    if not load.calls or not alone.calls:
        raise RuntimeError(f"{peer.name} answers no call under load")
    return Figures(load, alone, used / load.calls * 1e6)


def _load(running: Running, connections: int, seconds: int, place: Place) -> Load:
    load = run_load(
        running.call, connections=connections, seconds=seconds, folder=place.folder, cores=LOAD_CORES
    )
    if load.bad or load.broken:
        raise RuntimeError(f"{running.call.url}: {load}")
    return load
