"""Sends each entry its bad requests, and looks at logs, processes and memory meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from bench.faults.bad_requests.requests import build_bad_request
from bench.faults.bad_requests.routes import OWN_WORDS, serve_routes
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
    """What became of everything: by entry or route, processes that were replaced, tracebacks in any log."""

    by_entry: dict[str, Tried] = field(default_factory=dict)
    replaced: list[str] = field(default_factory=list)
    tracebacks: list[str] = field(default_factory=list)

    def add(self, other: AllTried) -> None:
        """Adds what became of other requests."""
        self.by_entry |= other.by_entry
        self.replaced += other.replaced
        self.tracebacks += other.tracebacks

    @property
    def findings(self) -> list[str]:
        """Every request with a wrong answer or none, and every process that was replaced."""
        found = [
            f"{entry}: {text}" for entry, tried in self.by_entry.items() for text in tried.outcome.findings
        ]
        restarted = [entry for entry, tried in self.by_entry.items() if tried.restarts]
        return found + [f"{name}: restarted" for name in [*restarted, *self.replaced]]


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
            _say(say, entry, tried.by_entry[entry].outcome)
        tried.tracebacks = find_tracebacks(api)
    return tried


def try_routes(folder: Path, counts: Mapping[str, int], seed: int, say: Callable[[str], None]) -> AllTried:
    """Serves the API's own routes, and does the same with them; their processes are looked at together.

    Args:
        folder: A new folder.
        counts: How many, by route.
        seed: Makes them the same again.
        say: Takes a line of progress.
    """
    tried = AllTried()
    with serve_routes(folder) as (api, taken):
        before = _list_processes(api)
        for route, count in counts.items():
            build = partial(build_bad_request, taken=taken[route])
            in_shape = route not in OWN_WORDS
            outcome = send_bad_requests(api.port, build, count=count, seed=seed, in_shape=in_shape)
            tried.by_entry[route] = Tried(outcome)
            _say(say, route, outcome)
        api.wait_well()
        after = _list_processes(api)
        tried.replaced = [words for pid, words in before.items() if pid not in after]
        tried.tracebacks = find_tracebacks(api)
    return tried


def _say(say: Callable[[str], None], name: str, outcome: Outcome) -> None:
    say(f"{name}: {dict(sorted(outcome.statuses.items()))}")
    for finding in outcome.findings[:20]:
        say(f"  {finding}")


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


def _list_processes(api: Api) -> dict[int, str]:
    """Returns how the processes of an API were started, by their ids."""
    return {child.pid: " ".join(child.cmdline()) for child in api.supervisor.children()}
