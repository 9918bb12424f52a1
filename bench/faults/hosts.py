"""A provider that dies under load, and the entry that answers in its place."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import urllib3

from bench.faults.callers import calling
from bench.faults.steps import Step, wait_for_calls
from bench.processes import free_port
from bench.programs import dying_provider
from bench.programs.dying_provider import CUT, HANG
from bench.serving import PUBLIC_LIMIT, serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.faults.callers import Tally

HOSTED, SPARE = "hosted", "spare"
START_SECONDS = 60.0
_LOOK_SECONDS = 0.02


class Host:
    """A provider's process on a port of its own."""

    def __init__(self, name: str, folder: Path) -> None:
        self.port = free_port()
        self._received = folder / f"{name}.received"
        self._url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        """Starts it, on the same port each time; returns when it answers.

        Raises:
            RuntimeError: It does not answer in time.
        """
        command = [sys.executable, dying_provider.__file__, str(self.port), str(self._received)]
        self._process = subprocess.Popen(command)  # noqa: S603  # our own
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            with contextlib.suppress(urllib3.exceptions.HTTPError):
                urllib3.request("GET", f"{self._url}/v1/models", retries=False, timeout=5)
                return
            time.sleep(_LOOK_SECONDS)
        raise RuntimeError("the provider does not start")

    def plan(self, what: str) -> None:
        """Decides what happens to the next call."""
        urllib3.request("POST", f"{self._url}/next/{what}", retries=False, timeout=START_SECONDS)

    def kill(self) -> None:
        """Sends `kill -9`, and waits until the process is gone."""
        self._process.kill()
        self._process.wait()

    def list_received(self) -> list[str]:
        """Returns the texts of all calls that arrived, with those that never got an answer."""
        return self._received.read_text(encoding="utf-8").splitlines() if self._received.exists() else []


def build_config(hosted: int, spare: int) -> dict[str, Any]:
    """Builds two entries of providers on these ports; the first falls back on the second."""

    def entry(name: str, port: int) -> dict[str, Any]:
        provider = {"url": f"http://127.0.0.1:{port}/v1", "model": name}
        return {"name": name, "provider": provider, "integration": {"type": "api"}}

    first = {**entry(HOSTED, hosted), "fallback": [SPARE]}
    return {"models": [], "endpoints": [first, entry(SPARE, spare)], "event": PUBLIC_LIMIT}


def lose_hosts(
    folder: Path, times: int, connections: int, pause_seconds: float
) -> tuple[list[Step], Tally, list[str]]:
    """Kills, cuts off and silences a provider, `times` times each, while its entry is called.

    Returns:
        The steps, the tally of all calls, and the calls that two providers got: these may be paid twice.
    """
    folder.mkdir()
    host, spare = Host(HOSTED, folder), Host(SPARE, folder)
    try:
        with serve(build_config(host.port, spare.port), folder) as address:
            port = int(address.rpartition(":")[2])
            with calling(port, (HOSTED,), connections, pause_seconds, chats=True) as tally:
                wait_for_calls(tally, connections)
                steps = list(_lose(host, tally, times, connections))
        twice = set(host.list_received()) & set(spare.list_received())
    finally:
        host.kill()
        spare.kill()
    return steps, tally, sorted(twice)


def _lose(host: Host, tally: Tally, times: int, connections: int) -> Iterator[Step]:
    before = tally.copy()
    for _ in range(times):
        with tally.killing():
            host.kill()
        wait_for_calls(tally, connections)
        host.start()
        wait_for_calls(tally, connections)
    yield Step("kill -9 of a provider with a fallback", times, tally - before)
    before = tally.copy()
    for _ in range(times):
        with tally.killing():
            host.plan(CUT)
        wait_for_calls(tally, connections)
    yield Step("a provider that breaks an answer off", times, tally - before)
    before = tally.copy()
    for _ in range(times):
        host.plan(HANG)
        wait_for_calls(tally, connections)
        with tally.killing():
            host.kill()
        host.start()
        wait_for_calls(tally, connections)
    yield Step("kill -9 of a provider that is silent", times, tally - before)
