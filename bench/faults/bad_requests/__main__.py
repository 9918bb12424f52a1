"""Sends bad requests to entries of an API that runs on this machine, or to the API's own routes.

    mlapi up config/showcase.json
    python -m bench.faults.bad_requests ocr --port 8080 --count 5000
    python -m bench.faults.bad_requests "hosted messages" joining --count 400 --seed 2

Without a port, an API is started for them; without names, all routes are tried. A finding is an answer of 500
or more, none in time, or an error in another shape than the API's.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from functools import partial
from pathlib import Path

from bench.faults.bad_requests.requests import build_bad_request
from bench.faults.bad_requests.routes import ROUTES
from bench.faults.bad_requests.run import AllTried, Tried, try_entries, try_routes
from bench.faults.bad_requests.sending import send_bad_requests
from bench.faults.bad_requests.served import ENTRIES, find_taken


def main() -> int:
    """Sends what the command line says; returns 1 if there is a finding."""
    parser = argparse.ArgumentParser(description="Send requests that no careful caller would send.")
    known = [*ENTRIES, *ROUTES]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"what is called: {', '.join(known)}")
    parser.add_argument("--port", type=int, help="of an API that serves these entries")
    parser.add_argument("--count", type=int, default=5000, help="requests to each")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    names = options.names or list(ROUTES)
    if not set(names) <= set(ENTRIES if options.port else known):
        parser.error(f"only {', '.join(ENTRIES if options.port else known)}")
    try_all = partial(_try_running, options.port) if options.port else _try_own
    tried = try_all(dict.fromkeys(names, options.count), options.seed)
    _say(f"{len(tried.findings)} findings, {len(tried.tracebacks)} tracebacks")
    for line in [*tried.findings, *tried.tracebacks]:
        _say(line)
    return 1 if tried.findings or tried.tracebacks else 0


def _try_running(port: int, counts: dict[str, int], seed: int) -> AllTried:
    tried = AllTried()
    for entry, count in counts.items():
        build = partial(build_bad_request, taken=find_taken(entry))
        tried.by_entry[entry] = Tried(send_bad_requests(port, build, count=count, seed=seed))
        _say(f"{entry}: {dict(sorted(tried.by_entry[entry].outcome.statuses.items()))}")
    return tried


def _try_own(counts: dict[str, int], seed: int) -> AllTried:
    tried = AllTried()
    with tempfile.TemporaryDirectory() as folder:
        for kinds, try_all in ((ENTRIES, try_entries), (ROUTES, try_routes)):
            chosen = {name: count for name, count in counts.items() if name in kinds}
            if chosen:
                tried.add(try_all(Path(folder) / try_all.__name__, chosen, seed, _say))
    return tried


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
