"""Sends each entry its bad requests, and looks at logs, processes and memory meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from bench.faults.bad_requests.requests import build_bad_request
from bench.faults.bad_requests.sending import Outcome, send_bad_requests
from bench.faults.bad_requests.served import OWN_SHAPE, URL, find_taken, serve_entries
from bench.faults.figures import MIB
from bench.faults.hostile.served import find_tracebacks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import psutil

    from bench.faults.api import Api

WARM_SHARE = 10
"""A tenth of the requests comes before memory is first looked at: libraries load what they need."""


@dataclass(slots=True)
class Tried:
    """What became of the requests to one entry.

    Attributes:
        outcome: The statuses, and the findings.
        restarts: How many of its processes were replaced.
        grown_mib: By how much the memory of its largest process grew after the first tenth.
    """

    outcome: Outcome = field(default_factory=Outcome)
    restarts: int = 0
    grown_mib: float = 0.0


@dataclass(slots=True)
class AllTried:
    """What became of everything: by entry, and the tracebacks in any log."""

    by_entry: dict[str, Tried] = field(default_factory=dict)
    tracebacks: list[str] = field(default_factory=list)

    @property
    def findings(self) -> list[str]:
        """Every request with a wrong answer or none, and every process that was replaced."""
        found = [
            f"{entry}: {text}" for entry, tried in self.by_entry.items() for text in tried.outcome.findings
        ]
        restarted = [f"{entry}: restarted" for entry, tried in self.by_entry.items() if tried.restarts]
        return found + restarted


def try_entries(folder: Path, counts: Mapping[str, int], seed: int, say: Callable[[str], None]) -> AllTried:
    """Serves entries and sends each as many bad requests as `counts` says, the same ones for a seed.

    Args:
        folder: A new folder.
        counts: How many, by entry.
        seed: Makes them the same again.
        say: Takes a line of progress.
    """
    tried = AllTried()
    with serve_entries(folder, list(counts)) as api:
        for entry, count in counts.items():
            tried.by_entry[entry] = _try_entry(api, entry, count, seed)
            say(f"{entry}: {dict(sorted(tried.by_entry[entry].outcome.statuses.items()))}")
            for finding in tried.by_entry[entry].outcome.findings[:20]:
                say(f"  {finding}")
        tried.tracebacks = find_tracebacks(api)
    return tried


def _try_entry(api: Api, entry: str, count: int, seed: int) -> Tried:
    build = partial(build_bad_request, taken=find_taken(entry))
    first, warm = _find_servers(api, entry), count // WARM_SHARE
    send = partial(send_bad_requests, api.port, build, in_shape=entry not in OWN_SHAPE)
    outcome = send(count=warm, seed=seed)
    before = _measure(first)
    rest = send(count=count - warm, seed=seed + 1)
    outcome.statuses += rest.statuses
    outcome.findings += rest.findings
    api.wait_well()
    last = _find_servers(api, entry)
    replaced = len(set(last) - set(first))
    return Tried(outcome, replaced, 0.0 if replaced else round(_measure(last) - before, 1))


def _find_servers(api: Api, entry: str) -> list[psutil.Process]:
    """Returns the processes of an entry; the API runs none for a server elsewhere."""
    return [] if entry == URL else api.servers(entry)


def _measure(processes: list[psutil.Process]) -> float:
    """Returns the MiB of the largest process."""
    return max((process.memory_full_info().uss / MIB for process in processes), default=0.0)
