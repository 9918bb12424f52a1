"""A whole local target without processes: a fake Envoy, and a server elsewhere as the model."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import urllib3

from centralized_ml_api.errors import INTERRUPTED, StartError
from centralized_ml_api.local.gateway import ExternalUpstream
from centralized_ml_api.local.jobs.types import Asked
from centralized_ml_api.local.machine.clock import WALL_CLOCK
from centralized_ml_api.local.machine.ports import bind_loopback
from centralized_ml_api.local.machine.state_folder import Run, StateFolder
from centralized_ml_api.local.run.early import EarlyServers
from centralized_ml_api.local.run.jobs import Jobs
from centralized_ml_api.local.run.options import ServeOptions, Terminal
from centralized_ml_api.local.run.serve import serve
from centralized_ml_api.local.status import JobCounts
from centralized_ml_api.local.supervision.child_setup import MARK
from centralized_ml_api.local.usage.collector import UsageCollector
from centralized_ml_api.plan.types import ApiPlan
from support.access_log import append, line
from support.fake_target import soon
from support.own_ports import own_ports
from support.served_target import World, model, serving
from support.story import story

if TYPE_CHECKING:
    from pathlib import Path


def test_it_serves_says_where_and_leaves_nothing_behind(tmp_path: Path) -> None:
    async def tell() -> None:
        world, tasks = World(tmp_path, metrics_port=0), asyncio.all_tasks()
        async with model() as url:
            world.write(url, "")
            async with serving(world) as running:
                status = world.status
                assert (status.pid, status.config) == (os.getpid(), str(world.config))
                assert status.state_folder == str(tmp_path / ".mlapi")
                assert abs(status.started - datetime.now(UTC).timestamp()) < 60
                port = int(status.address.removeprefix("http://127.0.0.1:"))
                assert status.sagemaker_runtime == f"http://127.0.0.1:{port + 1}"
                assert (status.gateway_trouble, status.ends) == ("", "")
                assert [entry.state for entry in status.entries] == ["ready", "not served"]
                assert world.envoy.did[:3] == ["apply", "launch", "wait 60"]
                started_with = world.envoy.launched[0]
                assert started_with is not None
                assert [route.name for route in started_with.routes] == ["m0", "m1"]
                told = await world.ask(lambda client: client.status())
                assert replace(told, overdue=status.overdue) == status  # its clock runs on meanwhile
                assert world.target is not None
                world.target.request_stop()
                assert await running == 0
            assert world.said == ["Stopping: taking no new calls, finishing those under way…"]
            assert world.envoy.did[-2:] == ["drain 5", "stop 3"]
            assert not (tmp_path / ".mlapi" / "run.json").exists()
            assert asyncio.all_tasks() == tasks

    story(tell)


def test_its_address_its_event_and_the_jobs_that_an_earlier_run_left_are_told(tmp_path: Path) -> None:
    async def tell() -> None:
        async with model() as url:
            world = World(tmp_path, host="localhost")
            world.write(url, event={"title": "Class"})
            with StateFolder(world.options.state) as state:
                earlier = Jobs(state, WALL_CLOCK, print)
                await earlier.book.add(Asked("", "/m0", "m0", ()), b"{}")
                earlier.socket.close()
            async with serving(world):
                assert world.status.host == "localhost"
                assert world.target is not None
                look = world.target.status
                await soon(lambda: look().jobs != JobCounts(waiting=0, running=0))  # they are read meanwhile
                assert look().jobs in (JobCounts(waiting=1, running=0), JobCounts(waiting=0, running=1))
                assert world.target.event.title == "Class"
                told = world.envoy.launched[0]
                assert told is not None
                assert told.jobs is not None

    story(tell)


def test_metrics_are_served_where_they_were_asked_for(tmp_path: Path) -> None:
    async def tell() -> None:
        async with model() as url:
            world = World(tmp_path / "with", metrics_port=0)
            (tmp_path / "with").mkdir()
            world.write(url)
            async with serving(world):
                with urllib3.PoolManager() as http:
                    answer = await asyncio.to_thread(http.request, "GET", world.status.metrics)
                assert answer.status == 200
                assert "mlapi_gateway_up 1" in answer.data.decode()
            (tmp_path / "without").mkdir()
            world = World(tmp_path / "without")
            world.write(url)
            async with serving(world):
                assert world.status.metrics == ""

    story(tell)


def test_functions_find_the_models_at_the_runtime(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        async with model() as url:
            world.write(url)
            async with serving(world):
                path = f"{world.status.sagemaker_runtime}/endpoints/none/invocations"
                with urllib3.PoolManager() as http:
                    answer = await asyncio.to_thread(http.request, "POST", path)
                assert "Endpoints here: m0" in answer.data.decode()

    story(tell)


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, INTERRUPTED), (signal.SIGTERM, 0), (signal.SIGHUP, 0)]
)
def test_a_signal_stops_it(tmp_path: Path, number: signal.Signals, status: int) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        async with model() as url:
            world.write(url)
            async with serving(world) as running:
                os.kill(os.getpid(), number)
                assert await running == status

    story(tell)


def test_when_no_model_could_start_it_ends_with_an_error(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        world.write("", "")
        async with serving(world) as running:
            with pytest.raises(StartError, match="no model could start"):
                await running
        assert world.envoy.did[-2:] == ["drain 5", "stop 3"]

    story(tell)


def test_a_gateway_that_does_not_start_ends_it(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        world.envoy.start_error = StartError("no gateway")
        async with model() as url:
            world.write(url)
            async with serving(world) as running:
                with pytest.raises(StartError, match="no gateway"):
                    await running
        assert world.shown == [] or world.status.address == ""

    story(tell)


def test_a_gateway_that_dies_is_started_again_and_said(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        async with model() as url:
            world.write(url)
            async with serving(world):
                world.processes[0].status.set_result(-9)
                await soon(lambda: len(world.processes) == 2 and world.status.gateway_trouble == "")
                said = {status.gateway_trouble for status in world.shown}
                assert said == {"", "the gateway ended with status -9; starting it again"}

    story(tell)


def test_it_stops_by_itself_when_the_event_ends_and_when_for_says(tmp_path: Path) -> None:
    async def tell() -> None:
        async with model() as url:
            ends = (datetime.now(UTC) + timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M:%SZ")
            (tmp_path / "event").mkdir()
            world = World(tmp_path / "event", for_seconds=4 * 3600.0)
            world.write(url, event={"ends": ends})
            async with serving(world) as running:
                assert world.status.ends == ends
                world.slept = timedelta(hours=3, minutes=1)
                assert await running == 0
            assert world.said[0] == f"The event is over: it ended at {ends}."
            (tmp_path / "for").mkdir()
            world = World(tmp_path / "for", for_seconds=3600.0)
            world.write(url, event={"ends": ends})
            async with serving(world) as running:
                stops = datetime.fromisoformat(world.status.ends)
                assert abs(stops - datetime.now(UTC) - timedelta(hours=1)) < timedelta(minutes=1)
                world.slept = timedelta(hours=1, minutes=1)
                assert await running == 0
            assert "The time given with --for is over." in world.said

    story(tell)


def test_keys_are_refused_until_the_event_starts(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        async with model() as url:
            starts = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=3)
            written = starts.strftime("%Y-%m-%dT%H:%M:%SZ")
            world.write(url, event={"teams": ["red"], "starts": written})
            async with serving(world):
                assert (world.status.starts, world.envoy.applied[-1].starts) == (written, starts)
                world.slept = timedelta(hours=3, minutes=1)
                await soon(lambda: world.envoy.applied[-1].starts is None and not world.status.starts)
                await soon(lambda: f"The event has started: keys work since {written}." in world.said)

    story(tell)


def test_a_deleted_state_folder_is_made_again_and_the_gateway_restarted(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        async with model() as url:
            world.write(url)
            async with serving(world):
                run = tmp_path / ".mlapi" / "run.json"
                before = Run(**json.loads(run.read_text()))
                run.unlink()
                await soon(run.exists)
                assert Run(**json.loads(run.read_text())) == before
                await soon(lambda: len(world.processes) == 2)

    story(tell)


def test_calls_are_counted_to_the_last_one_and_traffic_is_told(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        async with model() as url:
            world.write(url, event={"teams": [{"name": "red", "requests_per_day": 9}]})
            async with serving(world):
                log = tmp_path / ".mlapi" / "logs" / "access.log"
                append(log, line("red", "m0", at=datetime.now(UTC)))
                traffic = await world.ask(lambda client: client.traffic())
                assert [(team.name, team.used_today) for team in traffic.limits] == [("red", 1)]
                assert traffic.counted.in_flight == {"m0": 0}
                append(log, line("red", "m0", at=datetime.now(UTC)))
        counted = UsageCollector.of_state(tmp_path / ".mlapi").store.load_counts(None)
        assert sum(row.requests for row in counted) == 2

    story(tell)


def test_the_calls_that_wait_are_told_by_entry(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        async with model() as url:
            world.write(url, url)
            async with serving(world):
                world.admission.busy = {"m1": {"under_way": 2, "waiting": 3}}
                told = await world.ask(lambda client: client.status())
                assert [entry.waiting for entry in told.entries] == [0, 3]

    story(tell)


def test_a_server_elsewhere_is_one_of_the_first_upstreams(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        async with model() as url:
            world.write(url, "")
            async with serving(world):
                served = world.envoy.launched[0]
                assert served is not None
                upstream = served.upstreams[0]
                assert isinstance(upstream, ExternalUpstream)
                assert upstream.name == "m0@1"

    story(tell)


def test_a_process_that_still_starts_can_be_found_and_asked(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        world.envoy.takes.clear()
        async with model() as url:
            world.write(url)
            running = asyncio.create_task(world.run())
            await soon(lambda: "apply" in world.envoy.did)
            run = StateFolder(world.options.state).load_run()
            assert run.pid == os.getpid()
            told = await world.ask(lambda client: client.status())
            assert told.pid == os.getpid()
            assert [entry.state for entry in told.entries] != ["ready"], "the gateway does not know it yet"
            assert world.target is not None
            world.target.request_stop()
            assert await running == 0

    story(tell)


def test_it_listens_on_the_port_that_was_asked_for(tmp_path: Path) -> None:
    async def tell() -> None:
        port = own_ports()
        world = World(tmp_path, port=port)
        async with model() as url:
            world.write(url)
            async with serving(world):
                assert world.status.address == f"http://127.0.0.1:{port}"

    story(tell)


@pytest.mark.parametrize("held", ["port", "metrics_port"])
def test_a_held_port_is_said_at_once_and_what_a_killed_predecessor_left_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: str
) -> None:
    state = tmp_path / ".mlapi"
    monkeypatch.setenv(MARK, "of another run")
    with bind_loopback() as holder:
        holder.listen()
        port = holder.getsockname()[1]
        options = ServeOptions(tmp_path / "models.json", state, **{"port": 0, held: port})
        terminal = Terminal(lambda _: None, lambda _: None, lambda _: None)
        orphan = subprocess.Popen(["sleep", "600"], env={**os.environ, MARK: str(state)})
        with pytest.raises(StartError, match=f"port {port} "):
            serve(options, ApiPlan((), ()), terminal, EarlyServers(options.config, options.state))
        assert orphan.poll() is not None
    written = {path.name for path in state.rglob("*") if path.is_file()}
    assert written == {"lock", ".gitignore"}, "nothing has begun"
    assert os.environ[MARK] == str(state)
