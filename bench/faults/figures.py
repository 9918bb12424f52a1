"""What the processes of an API use: memory and file descriptors; and how many processes there are."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

from bench.faults.api import FUNCTION_ENTRY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.faults.api import Api

SETTLE_SECONDS = 30.0
REST_SECONDS = 2.5
"""How long to wait after the last call: the gateway closes model connections after an idle second."""
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Figures:
    """What one process uses."""

    memory_mib: float
    descriptors: int


@dataclass(frozen=True, slots=True)
class Sample:
    """What the long-lived processes use, by role, and the number of processes without workers.

    The number of a function's workers depends on how many calls happened to coincide.
    """

    of: dict[str, Figures]
    processes: int


def take_sample(api: Api, before: Sequence[Sample]) -> Sample:
    """Takes a sample while nobody calls. What exceeds earlier samples gets `SETTLE_SECONDS` to go away."""
    end = time.monotonic() + SETTLE_SECONDS
    time.sleep(REST_SECONDS)
    while grown([*before, sample := _look(api)]) and time.monotonic() < end:
        time.sleep(REST_SECONDS)
    return sample


def grown(samples: Sequence[Sample]) -> int:
    """Returns by how many file descriptors and processes the last sample exceeds the smallest."""
    return grown_descriptors(samples) + grown_processes(samples)


def grown_descriptors(samples: Sequence[Sample]) -> int:
    """Returns the additional descriptors of supervisor and gateway; a host's depend on its workers."""
    return sum(
        _more([sample.of[name].descriptors for sample in samples]) for name in ("supervisor", "gateway")
    )


def grown_processes(samples: Sequence[Sample]) -> int:
    """Returns the number of additional processes."""
    return _more([sample.processes for sample in samples])


def grown_mib(samples: Sequence[Sample]) -> dict[str, float]:
    """Returns by how many MiB each process grew since the first sample."""
    first, last = samples[0].of, samples[-1].of
    return {name: round(last[name].memory_mib - first[name].memory_mib, 1) for name in first}


def _more(counts: Sequence[int]) -> int:
    return max(0, counts[-1] - min(counts))


def _look(api: Api) -> Sample:
    host = api.servers(FUNCTION_ENTRY)[0]
    lasting = {"supervisor": api.supervisor, "gateway": api.gateway(), "function's host": host}
    every = [api.supervisor, *api.supervisor.children(recursive=True)]
    return build_sample(lasting, len(every) - len(host.children(recursive=True)))


def build_sample(lasting: Mapping[str, psutil.Process], processes: int) -> Sample:
    """Builds a sample of these processes, by their roles, and the number of all."""
    return Sample({role: _figures(process) for role, process in lasting.items()}, processes)


def _figures(process: psutil.Process) -> Figures:
    memory = process.memory_full_info().uss / MIB
    descriptors = 0
    with contextlib.suppress(psutil.AccessDenied):
        descriptors = process.num_fds()
    return Figures(round(memory, 1), descriptors)
