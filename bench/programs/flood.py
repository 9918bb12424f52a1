"""A caller that ignores its limit: `python -m bench.programs.flood URL CALLS_A_SECOND SECONDS`.

It reads its key and the body of its calls from standard input, a line each: no process list shows them. It
uses plain sockets, which leave the processor time to the measured program.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence

CALLERS = 10
"""Concurrent connections."""


def call_alone(url: str, rate: float, seconds: float) -> None:
    """Calls `rate` times per second, and prints how often each status came back, as JSON."""
    address, key, body = urlsplit(url), sys.stdin.readline().strip(), sys.stdin.readline().strip()
    head = f"POST {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\nx-api-key: {key}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body.encode())}\r\n"
    request = f"{head}Connection: close\r\n\r\n{body}".encode()
    at = (str(address.hostname), address.port or 80)
    begin = time.monotonic()
    with ThreadPoolExecutor(CALLERS) as pool:
        turns = [
            pool.submit(
                _flood,
                at,
                request,
                [begin + number / rate for number in range(first, int(seconds * rate), CALLERS)],
                begin + seconds,
            )
            for first in range(CALLERS)
        ]
        statuses = sum((turn.result() for turn in turns), Counter[int]())
    sys.stdout.write(json.dumps(statuses))


def _flood(at: tuple[str, int], request: bytes, moments: Sequence[float], end: float) -> Counter[int]:
    """Calls at each moment until the end, or when the previous call has ended, and counts the statuses."""
    statuses = Counter[int]()
    for moment in moments:
        if time.monotonic() >= end:
            break
        time.sleep(max(0.0, moment - time.monotonic()))
        with socket.create_connection(at) as connection:
            connection.sendall(request)
            status_line = connection.recv(65536)  # the start of a response is enough
        statuses[int(status_line.split(maxsplit=2)[1])] += 1
    return statuses


if __name__ == "__main__":
    call_alone(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]))
