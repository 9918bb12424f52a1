"""What a service reports of its replicas, and to which ports its calls go; in virtual time."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.errors import MlApiError, StartError, WeightsError
from centralized_ml_api.local.supervision.replica import Timeouts
from centralized_ml_api.local.supervision.service import (
    SETTLED,
    Report,
)
from support.service_scene import NOT_READY, REFUSED, Scene, play

if TYPE_CHECKING:
    from pathlib import Path


def test_a_service_reports_what_it_prepares_until_its_server_starts(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        assert scene.service.report() == Report("preparing", "", replicas=1)
        await asyncio.sleep(0.5)
        assert scene.service.report() == Report("preparing", "downloading weights: 1 GB", replicas=1)
        assert scene.ports == ()
        await asyncio.sleep(1)

    assert [report.state for report in play(tmp_path, scenario).reports][:3] == [
        "preparing",
        "starting",
        "ready",
    ]


def test_that_it_starts_is_told_once_the_processes_of_all_replicas_have_been_started(tmp_path: Path) -> None:
    started: list[tuple[str, int]] = []

    async def scenario(scene: Scene) -> None:
        note = scene.service._changed  # noqa: SLF001  # whom the service tells

        def changed() -> None:
            note()
            started.append((scene.reports[-1].state, len(scene.machine.processes)))

        scene.service._changed = changed  # noqa: SLF001
        await asyncio.sleep(2)

    play(tmp_path, scenario, replicas=3)
    assert started[:2] == [("preparing", 0), ("starting", 3)]


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (WeightsError("the weights cannot be had"), "the weights cannot be had"),
        (StartError("no program", fix="install it"), "no program (install it)"),
    ],
)
def test_a_failed_preparation_is_the_services_failure_with_its_fix_and_the_last_lines(
    tmp_path: Path, error: MlApiError, detail: str
) -> None:
    async def scenario(scene: Scene) -> None:
        scene.prepared = error
        await asyncio.sleep(2)
        assert scene.ports == ()

    scene = play(tmp_path, scenario, replicas=2)
    assert scene.reports[-1] == Report("failed", detail, replicas=2, log=("a line of pip",))
    assert scene.machine.starts == [], "nothing is started"


def test_a_ready_service_names_the_port_and_the_process_of_each_replica(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await asyncio.sleep(2)
        assert scene.ports == tuple(scene.machine.ports)
        assert len(set(scene.ports)) == 3
        assert scene.service.report() == Report(
            "ready", ready_replicas=3, replicas=3, pids=(100, 101, 102), log=("process 100",)
        )

    play(tmp_path, scenario, replicas=3)
    assert {file.name for file in tmp_path.iterdir()} == {
        "echo.log",
        "echo.1.log",
        "echo.2.log",
        "echo.3.log",
    }


def test_a_single_replica_goes_on_in_the_log_of_its_preparation(tmp_path: Path) -> None:
    async def scenario(_: Scene) -> None:
        await asyncio.sleep(2)

    play(tmp_path, scenario)
    assert (tmp_path / "echo.log").read_text() == "a line of pip\nprocess 100\n"


def test_calls_go_only_to_replicas_that_are_ready_and_the_others_reason_is_shown(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await asyncio.sleep(2)
        first = scene.ports[0]
        scene.machine.processes[1].end(7)
        await asyncio.sleep(0.001)
        report = scene.service.report()
        assert scene.ports == (first,)
        assert (report.state, report.ready_replicas, report.pids) == ("ready", 1, (100,))
        assert (report.detail, report.log) == ("ended with status 7", ("process 101",))
        await asyncio.sleep(2)
        assert scene.service.report().restarts == 1
        assert list(scene.ports) == [first, scene.machine.ports[2]]

    play(tmp_path, scenario, replicas=2)
    assert {file.name for file in tmp_path.iterdir()} == {"echo.log", "echo.1.log", "echo.2.log"}


def test_restarts_of_all_replicas_are_counted(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await asyncio.sleep(2)
        for process in scene.machine.processes[:2]:
            process.end(1)
        await asyncio.sleep(2)
        scene.machine.processes[-1].end(1)
        await asyncio.sleep(2)
        assert scene.service.report().restarts == 3

    play(tmp_path, scenario, replicas=2)


def test_a_service_has_failed_only_when_every_replica_is_given_up(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        scene.machine.answer = REFUSED
        scene.machine.refusals = deque([StartError("no such program")] * 6)
        await asyncio.sleep(1.001)
        assert scene.service.report().state == "restarting"
        await asyncio.sleep(5)
        report = scene.service.report()
        assert (report.state, report.detail, report.ready_replicas) == ("failed", "no such program", 0)

    play(tmp_path, scenario, replicas=2)


def test_a_service_whose_only_replica_is_unready_is_unready(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await asyncio.sleep(2)
        scene.machine.answer = NOT_READY
        await asyncio.sleep(10)
        report = scene.service.report()
        assert (report.state, report.detail) == ("unready", "answers that it is not ready")
        assert scene.ports == ()

    play(tmp_path, scenario)


def test_one_given_up_beside_one_that_still_starts_is_a_service_that_starts(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        scene.machine.answer = REFUSED
        scene.machine.refusals = deque([StartError("no such program")])
        await asyncio.sleep(1.1)
        assert scene.service.report().state == "starting", "rather than restarting, as the first one is"
        scene.machine.refusals = deque([StartError("no such program")] * 2)
        await asyncio.sleep(5)
        report = scene.service.report()
        assert (report.state, report.detail, report.pids) == ("starting", "no such program", (100,))

    play(tmp_path, scenario, replicas=2)


def test_when_a_service_is_cancelled_its_processes_are_stopped(tmp_path: Path) -> None:
    async def scenario(_: Scene) -> None:
        await asyncio.sleep(2)

    scene = play(tmp_path, scenario, replicas=2)
    assert [process.stopped_with for process in scene.machine.processes] == [Timeouts().stop] * 2
    assert scene.service.report().pids == ()
    assert scene.ports == ()


def test_a_server_of_an_unknown_kind_keeps_connections_once_all_replicas_have_said_so(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        assert not scene.service.upstream("echo").keeps_connections, "nothing is known yet"
        await asyncio.sleep(2)
        assert scene.machine.looks == [f"http://127.0.0.1:{port}/ping" for port in scene.machine.ports]
        assert not scene.service.upstream("echo").keeps_connections, "neither has said so"
        scene.machine.keeps = True
        scene.machine.processes[1].end(1)
        await asyncio.sleep(2)
        assert len(scene.machine.looks) == 3, "asked again after its restart"
        assert not scene.service.upstream("echo").keeps_connections, "the other has not said so"
        scene.machine.processes[0].end(1)
        await asyncio.sleep(2)
        assert scene.service.upstream("echo").keeps_connections
        scene.machine.processes[2].end(1)
        await asyncio.sleep(0.001)
        assert scene.service.upstream("echo").keeps_connections, "nobody knows better while it is gone"

    play(tmp_path, scenario, replicas=2, keeps_connections=None)


@pytest.mark.parametrize("keeps", [True, False])
def test_a_server_of_a_known_kind_is_not_asked_whether_it_keeps_connections(
    tmp_path: Path, *, keeps: bool
) -> None:
    async def scenario(scene: Scene) -> None:
        assert scene.service.upstream("echo").keeps_connections is keeps
        await asyncio.sleep(2)
        assert scene.service.upstream("echo").keeps_connections is keeps
        assert scene.machine.looks == []

    play(tmp_path, scenario, keeps_connections=keeps)


def test_settled_are_the_states_that_do_not_pass_by_themselves() -> None:
    assert sorted(SETTLED) == ["asleep", "failed", "ready", "unready"]


def test_what_a_server_says_of_its_model_is_known_whichever_replica_is_ready_first(tmp_path: Path) -> None:
    known: list[object] = []

    async def scenario(scene: Scene) -> None:
        scene.machine.descriptions["/about"] = {"tools": True}
        known.append(dict(scene.service.about()))
        await asyncio.sleep(100)
        known.append(dict(scene.service.about()))

    play(tmp_path, scenario, replicas=2)
    assert known == [{}, {"tools": True}]
