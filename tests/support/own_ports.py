"""Ports that no other worker of this run takes, for what listens only later, or where nobody is to listen.

A port that the system gives away is soon given to the next who asks for any: to a server of another worker.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import secrets
import socket

_FIRST_PORT, _PORTS, _WORKERS = 11_000, 1_000, 9
"""Where the ports of the first worker begin, how many each worker has, and how many workers.

They end where those begin that the APIs of all workers choose from (`quiet_port`), from 20000 on.
"""

_numbers = itertools.count(secrets.randbelow(_PORTS))  # another run on this machine begins elsewhere


def own_ports(count: int = 1) -> int:
    """The first of so many free ports in a row; each is given once before any comes again."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _WORKERS
    for _ in range(_PORTS):
        numbers = [next(_numbers) % _PORTS for _ in range(count)]
        first = _FIRST_PORT + worker * _PORTS + numbers[0]
        if numbers[-1] == numbers[0] + count - 1 and all(_is_free(first + more) for more in range(count)):
            return first
    raise AssertionError("none of this worker's ports is free")


def _is_free(port: int) -> bool:
    with contextlib.suppress(OSError), socket.socket() as probe:
        probe.bind(("127.0.0.1", port))
        return True
    return False
