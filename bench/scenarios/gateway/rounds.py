"""One gateway in one round: started, checked, warmed up, loaded, called by a single caller, stopped.

It is loaded twice: with a core of its own, which calls per second and latencies need; and with callers and
model on that same core, as on a machine that has no other, which is what processor times are compared by.
There it takes turns with an Envoy that only proxies, second by second: on a machine that others share, what a
call costs changes within a minute, for both alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.load import Load, run_load
from bench.processes import on_cores, processor_seconds
from bench.scenarios.gateway.calls import check_refusal, wait_for_answer
from bench.scenarios.gateway.peer import GATEWAY_CORES, LOAD_CORES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.scenarios.gateway.peer import Peer, Place, Running

CONNECTIONS = 32
LOAD_SECONDS = 2
ALONE_SECONDS = 1
ONE_CORE_TURNS = 3
"""How often each of the two is called on one core."""
TURN_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Figures:
    """What one gateway did in one round: under load, and with a single caller."""

    load: Load
    alone: Load
    microseconds: float
    """Processor time per call under load."""
    one_core_microseconds: float
    """The same with callers and model on the gateway's core."""
    bare_microseconds: float
    """The same of an Envoy that only proxies, called in turn with it."""

    @property
    def calls_a_cpu_second(self) -> float:
        """How many calls per second one core could pass on if it did nothing else."""
        return 1e6 / self.microseconds

    @property
    def times_bare(self) -> float:
        """What a call costs on one core, as a multiple of what it costs an Envoy that only proxies."""
        return self.one_core_microseconds / self.bare_microseconds


def measure_peer(peer: Peer, place: Place, model: int, bare: Running) -> Figures:
    """Starts, measures and stops one gateway.

    Args:
        peer: The gateway.
        place: Where it runs.
        model: The process id of the model.
        bare: An Envoy that only proxies, to compare with.

    Raises:
        RuntimeError: Its response is not the model's, or a call under load failed.
    """
    place.folder.mkdir()
    with peer.start(place) as running:
        wait_for_answer(running.call)
        if peer.keyed:
            check_refusal(running.call)
        _load(running, CONNECTIONS, peer.warm_seconds, place)
        load, used = _price(running, LOAD_SECONDS, place, LOAD_CORES)
        alone = _load(running, 1, ALONE_SECONDS, place)
        with on_cores(model, GATEWAY_CORES):
            one_core, bare_one_core = _price_in_turn((running, bare), place)
    if not alone.calls:
        raise RuntimeError(f"{peer.name} answers no call of a single caller")
    return Figures(load, alone, used / load.calls * 1e6, one_core, bare_one_core)


def _price_in_turn(gateways: Sequence[Running], place: Place) -> list[float]:
    """Returns what a call costs each on one core, called in turn, in microseconds of the processor."""
    turns = [
        [_price(running, TURN_SECONDS, place, GATEWAY_CORES) for running in gateways]
        for _ in range(ONE_CORE_TURNS)
    ]
    return [
        sum(used for _, used in own) / sum(load.calls for load, _ in own) * 1e6
        for own in zip(*turns, strict=True)
    ]


def _price(running: Running, seconds: int, place: Place, cores: str) -> tuple[Load, float]:
    """Returns the load of callers on these cores, and the processor seconds that the gateway used for it."""
    before = processor_seconds(running.pid)
    load = _load(running, CONNECTIONS, seconds, place, cores)
    if not load.calls:
        raise RuntimeError(f"{running.call.url} answers no call under load")
    return load, processor_seconds(running.pid) - before


def _load(running: Running, connections: int, seconds: int, place: Place, cores: str = LOAD_CORES) -> Load:
    load = run_load(running.call, connections=connections, seconds=seconds, folder=place.folder, cores=cores)
    if load.bad or load.broken:
        raise RuntimeError(f"{running.call.url}: {load}")
    return load
