"""Sends bad requests to one entry of an API that runs on this machine.

    mlapi up config/showcase.json
    python -m bench.faults.bad_requests ocr --port 8080 --count 5000

A finding is an answer of 500 or more, none in time, or an error in another shape than the API's.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial

from bench.faults.bad_requests.requests import build_bad_request
from bench.faults.bad_requests.sending import send_bad_requests
from bench.faults.bad_requests.served import ENTRIES, find_taken


def main() -> int:
    """Sends what the command line says; returns 1 if there is a finding."""
    parser = argparse.ArgumentParser(description="Send an entry requests that no careful caller would send.")
    parser.add_argument("entry", choices=ENTRIES, help="its name, which says what it takes")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    build = partial(build_bad_request, taken=find_taken(options.entry))
    outcome = send_bad_requests(options.port, build, count=options.count, seed=options.seed)
    sys.stdout.write(f"{dict(sorted(outcome.statuses.items()))}\n{chr(10).join(outcome.findings)}\n")
    return 1 if outcome.findings else 0


if __name__ == "__main__":
    sys.exit(main())
