"""The event ends on this machine: by a clock that the test controls, and by `mlapi extend` before it does."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psutil
import pytest

from centralized_ml_api.local.machine.clock import Clock
from centralized_ml_api.local.machine.state_folder import StateFolder
from centralized_ml_api.local.run.options import ServeOptions, Terminal
from centralized_ml_api.local.run.reload import load_plan
from centralized_ml_api.local.run.serve import LocalTarget
from support.local_api import mlapi, models, odd_command, start_local_api, write_config
from support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.local.status import LocalStatus


def instant(written: str) -> datetime:
    return datetime.fromisoformat(written)


def in_hours(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.slow
def test_a_machine_that_slept_past_the_end_stops_everything_when_it_wakes(tmp_path: Path) -> None:
    config = write_config(tmp_path, {**models(echo=odd_command()), "event": {"ends": in_hours(2)}})
    slept = timedelta(0)
    others = psutil.Process().children(recursive=True)  # of other tests of this worker
    seen: list[psutil.Process] = []
    said: list[str] = []

    def show(status: LocalStatus) -> None:
        nonlocal slept
        if status.settled and status.serving:
            running = psutil.Process().children(recursive=True)
            seen.extend(process for process in running if process not in others)
            slept = timedelta(hours=3)

    clock = Clock(lambda: datetime.now(UTC) + slept, asyncio.sleep)
    terminal = Terminal(show, said.append, lambda error: said.append(error.message))
    options = ServeOptions(config, tmp_path / ".mlapi", port=0)
    with StateFolder(options.state) as state:

        async def run() -> int:
            return await LocalTarget(options, state, terminal, clock=clock).run(load_plan(config))

        assert asyncio.run(asyncio.wait_for(run(), timeout=90)) == 0
    assert said[0].startswith("The event is over: it ended at ")
    assert seen, "it never served"
    left = [process for process in seen if process.is_running()]
    assert not [process for process in left if process.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.slow
def test_extending_moves_the_end_of_what_runs_without_a_restart(tmp_path: Path) -> None:
    ends = in_hours(0.5)
    config = {**models(echo=odd_command()), "event": {"ends": ends}}
    with start_local_api(tmp_path, config) as api:
        api.wait_serving()
        api.wait_talk("The event ends in ")
        assert f"Ends automatically at {ends}." in api.output
        assert api.call("/echo").headers["x-event-ends"] == ends
        before = api.part_pids("echo")

        ran = mlapi("extend", "+2h", "models.json", cwd=tmp_path)
        assert ran.status == 0, ran.talk
        later = (instant(ends) + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
        assert json.loads((tmp_path / "models.json").read_text())["event"] == {"ends": later}
        wait_until(lambda: api.call("/echo").headers["x-event-ends"] == later, "answers name the new end")
        assert api.status()["ends"] == later
        assert "Ends in 2 h 2" in mlapi("status", cwd=tmp_path).out
        assert api.part_pids("echo") == before


@pytest.mark.slow
def test_of_for_and_the_events_end_the_earlier_is_shown(tmp_path: Path) -> None:
    config = {**models(echo=odd_command()), "event": {"ends": in_hours(2)}}
    with start_local_api(tmp_path, config, "--for", "1h") as api:
        left = instant(api.wait_serving().status()["ends"]) - datetime.now(UTC)
        assert timedelta(minutes=55) < left <= timedelta(hours=1)
        ran = mlapi("extend", "+2h", "models.json", cwd=tmp_path)
        assert ran.status == 0, ran.talk
        assert "What runs here stops earlier" in ran.talk
