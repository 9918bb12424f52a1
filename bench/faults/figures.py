"""What the processes of an API hold: memory, descriptors, how many they are."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

from bench.faults.api import FUNCTION_ENTRY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.faults.api import Api

PATIENCE_SECONDS = 30.0
REST_SECONDS = 2.5
"""After the last call: the gateway lets go of connections to models that rest for a second."""
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Figures:
    """What one process holds."""

    memory_mib: float
    descriptors: int


@dataclass(frozen=True, slots=True)
class Sample:
    """What the lasting processes hold, by what they do, and how many processes there are in all but workers.

    How many workers a function has depends on how its calls happened to meet.
    """

    of: dict[str, Figures]
    processes: int


def take_sample(api: Api, before: Sequence[Sample]) -> Sample:
    """At rest: nobody calls. What is on its way out gets `PATIENCE_SECONDS` until it counts as grown."""
    end = time.monotonic() + PATIENCE_SECONDS
    time.sleep(REST_SECONDS)
    while grown([*before, sample := _look(api)]) and time.monotonic() < end:
        time.sleep(REST_SECONDS)
    return sample


def grown(samples: Sequence[Sample]) -> int:
    """By how many descriptors and processes the last has more than any before."""
    return grown_descriptors(samples) + grown_processes(samples)


def grown_descriptors(samples: Sequence[Sample]) -> int:
    """What the supervisor and the gateway have more than before; a host's depend on its workers."""
    return sum(
        _more([sample.of[name].descriptors for sample in samples]) for name in ("supervisor", "gateway")
    )


def grown_processes(samples: Sequence[Sample]) -> int:
    """How many there are more than before."""
    return _more([sample.processes for sample in samples])


def grown_mib(samples: Sequence[Sample]) -> dict[str, float]:
    """By how much each holds more than at first."""
    first, last = samples[0].of, samples[-1].of
    return {name: round(last[name].memory_mib - first[name].memory_mib, 1) for name in first}


def _more(counts: Sequence[int]) -> int:
    return max(0, counts[-1] - min(counts))


def _look(api: Api) -> Sample:
    host = api.servers(FUNCTION_ENTRY)[0]
    lasting = {"supervisor": api.supervisor, "gateway": api.gateway(), "function's host": host}
    every = [api.supervisor, *api.supervisor.children(recursive=True)]
    return Sample(
        {name: _figures(process) for name, process in lasting.items()},
        len(every) - len(host.children(recursive=True)),
    )


def _figures(process: psutil.Process) -> Figures:
    memory = process.memory_full_info().uss / MIB
    descriptors = 0
    with contextlib.suppress(psutil.AccessDenied):
        descriptors = process.num_fds()
    return Figures(round(memory, 1), descriptors)
