"""A replica over real processes: what `test_replica` decides with fakes happens to real servers, too."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.errors import WeightsError
from centralized_ml_api.local.launch import Launch
from centralized_ml_api.local.supervision.probe import Prober
from centralized_ml_api.local.supervision.process import ServerLog
from centralized_ml_api.local.supervision.replica import (
    Replica,
    Timeouts,
)
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from centralized_ml_api.local.launch import Server


SERVER = """
import http.server, os, pathlib, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        ready = not pathlib.Path("not-ready").exists()
        self.send_response(200 if ready else 503); self.end_headers()
    def log_message(self, *args): pass
print("listening", flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@dataclass(frozen=True)
class Script:
    """A server in a few lines."""

    code: str
    cwd: Path
    ping_path: str = "/ping"
    work_path: str | None = None
    needs: tuple[Path, ...] = ()

    def launch(self, port: int) -> Launch:
        argv = (sys.executable, "-c", self.code, str(port))
        return Launch(argv, dict(os.environ), self.cwd, needs=self.needs)


SHORT_TIMEOUTS = Timeouts(start=20, probe=0.05, silence=0.5)


def supervised(
    code: str,
    tmp_path: Path,
    scenario: Callable[[Replica, list[str]], Awaitable[None]],
    timeouts: Timeouts = SHORT_TIMEOUTS,
) -> list[str]:
    """Runs the scenario beside a replica; returns the states it went through, and leaves nothing running.

    The server needs the file `weights`; to prepare it again takes the file `source`.
    """
    states: list[str] = []
    weights, source = tmp_path / "weights", tmp_path / "source"
    weights.touch()

    async def prepare(say: Callable[[str], None]) -> Server:
        say("downloading weights")
        if not source.exists():
            raise WeightsError("the weights cannot be had")
        weights.touch()
        return Script(code, tmp_path, needs=(weights,))

    async def main() -> None:
        replica = Replica(
            Script(code, tmp_path, needs=(weights,)),
            ServerLog(tmp_path / "log"),
            Prober(),
            lambda: states.append(replica.state),
            timeouts=timeouts,
            prepare=prepare,
        )
        task = asyncio.create_task(replica.run())
        await scenario(replica, states)
        task.cancel()
        await asyncio.wait({task})
        assert replica.pid is None

    asyncio.run(main())
    return states


@pytest.mark.slow
def test_it_is_ready_when_it_answers(tmp_path: Path) -> None:
    async def scenario(replica: Replica, _: list[str]) -> None:
        await until(lambda: replica.state == "ready", "it is ready")
        assert replica.port > 0

    assert supervised(SERVER, tmp_path, scenario) == ["ready", "restarting"]


@pytest.mark.slow
def test_it_comes_back_after_it_was_killed(tmp_path: Path) -> None:
    async def scenario(replica: Replica, _: list[str]) -> None:
        await until(lambda: replica.state == "ready", "it is ready")
        first = replica.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await until(lambda: replica.state == "restarting", "its death is noticed")
        await until(lambda: replica.state == "ready", "it is back")
        assert replica.pid != first
        assert replica.restarts == 1

    supervised(SERVER, tmp_path, scenario)


@pytest.mark.slow
def test_what_was_deleted_while_it_ran_is_prepared_again(tmp_path: Path) -> None:
    async def scenario(replica: Replica, _: list[str]) -> None:
        await until(lambda: replica.state == "ready", "it is ready")
        (tmp_path / "source").touch()
        (tmp_path / "weights").unlink()
        os.kill(replica.pid or 0, signal.SIGKILL)
        await until(lambda: replica.restarts == 1 and replica.state == "ready", "it is back")
        assert (tmp_path / "weights").exists()

    supervised(SERVER, tmp_path, scenario)


@pytest.mark.slow
def test_what_cannot_be_prepared_again_is_the_reason_until_it_can_be(tmp_path: Path) -> None:
    async def scenario(replica: Replica, _: list[str]) -> None:
        await until(lambda: replica.state == "ready", "it is ready")
        (tmp_path / "weights").unlink()
        os.kill(replica.pid or 0, signal.SIGKILL)
        await until(lambda: replica.restarts >= 4, "it is tried more often than one that was never ready")
        assert (replica.state, replica.reason) == ("restarting", "the weights cannot be had")
        (tmp_path / "source").touch()
        await until(lambda: replica.state == "ready", "it is back")

    supervised(SERVER, tmp_path, scenario)


@pytest.mark.slow
def test_it_is_given_up_after_three_failed_starts_with_its_last_words(tmp_path: Path) -> None:
    async def scenario(replica: Replica, _: list[str]) -> None:
        await until(lambda: replica.state == "failed", "it is given up")
        assert replica.reason == "ended with status 3 before it was ready"
        assert replica.log.last_lines() == ["no such weights"]
        assert replica.restarts == 2

    supervised("import sys; print('no such weights'); sys.exit(3)", tmp_path, scenario)


@pytest.mark.slow
def test_it_is_not_ready_while_it_says_so(tmp_path: Path) -> None:
    async def scenario(replica: Replica, _: list[str]) -> None:
        await until(lambda: replica.state == "ready", "it is ready")
        (tmp_path / "not-ready").touch()
        await until(lambda: replica.state == "unready", "it is taken out")
        (tmp_path / "not-ready").unlink()
        await until(lambda: replica.state == "ready", "it is back")
        assert replica.restarts == 0

    supervised(SERVER, tmp_path, scenario)


@pytest.mark.slow
def test_one_that_never_answers_is_given_up(tmp_path: Path) -> None:
    async def scenario(replica: Replica, _: list[str]) -> None:
        await until(lambda: replica.state == "failed", "it is given up")
        assert replica.reason == "was not ready after 0.2 seconds"

    supervised("import time; time.sleep(600)", tmp_path, scenario, Timeouts(start=0.2))


@pytest.mark.slow
def test_one_that_fell_silent_is_restarted(tmp_path: Path) -> None:
    async def scenario(replica: Replica, _: list[str]) -> None:
        await until(lambda: replica.state == "ready", "it is ready")
        assert replica.pid is not None
        os.kill(replica.pid, signal.SIGSTOP)
        await until(lambda: replica.restarts == 1, "it was restarted")

    supervised(SERVER, tmp_path, scenario, Timeouts(start=20, probe=0.05, silence=0.1, stop=0.1))
