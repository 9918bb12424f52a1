"""A server that answers health checks but no requests: which ones are restarted, and which compute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.fake_machine import FakeServer
from support.replicated import READY, SILENT, TIMEOUTS, Scene, advance, play, wait_for

if TYPE_CHECKING:
    from pathlib import Path


def test_one_that_answers_health_checks_but_no_requests_is_restarted(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await wait_for(100)
        assert (scene.replica.state, scene.replica.restarts) == ("ready", 0)
        scene.machine.delays["/work"] = float("inf")
        await wait_for(TIMEOUTS.work - 1)
        assert (scene.replica.state, scene.replica.restarts) == ("ready", 0)
        scene.machine.delays.clear()
        await wait_for(3 * TIMEOUTS.probe)
        assert scene.state == "ready"
        assert (scene.replica.restarts, scene.replica.hangs) == (1, 1)
        assert scene.replica.last_restart == "answered health checks but no requests: restarted"

    scene = play(tmp_path, scenario, server=FakeServer(work_path="/work"))
    assert ("restarting", "answered health checks but no requests: restarted") in scene.seen
    assert "answered health checks but no requests: restarted" in scene.replica.log.path.read_text()


def test_a_connection_that_breaks_is_no_hang(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await wait_for(1)
        scene.machine.answer = SILENT
        await wait_for(4 * TIMEOUTS.probe)
        scene.machine.answer = READY
        await wait_for(4 * TIMEOUTS.probe)
        assert (scene.replica.state, scene.replica.restarts, scene.replica.hangs) == ("ready", 0, 0)

    play(tmp_path, scenario, server=FakeServer(work_path="/work"))


def test_a_machine_that_slept_makes_no_server_hang(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await wait_for(1)
        scene.machine.delays["/work"] = TIMEOUTS.work - 1
        await wait_for(2 * TIMEOUTS.probe)
        scene.machine.delays["/work"] = float("inf")
        advance(10 * TIMEOUTS.work)  # both questions are under way, and nobody hears their answers
        scene.machine.answers.append(SILENT)
        await wait_for(TIMEOUTS.probe)
        scene.machine.delays.clear()
        await wait_for(20 * TIMEOUTS.probe)
        assert (scene.replica.state, scene.replica.restarts, scene.replica.hangs) == ("ready", 0, 0)

    play(tmp_path, scenario, server=FakeServer(work_path="/work"))


def test_on_a_busy_machine_a_server_that_computes_does_not_hang(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await wait_for()
        scene.machine.processes[0].starved = 0.7
        await wait_for(TIMEOUTS.probe)
        scene.machine.delays["/work"] = float("inf")
        await wait_for(2 * TIMEOUTS.work)
        assert (scene.replica.restarts, scene.replica.hangs) == (0, 0)
        scene.machine.delays.clear()
        await wait_for(2 * TIMEOUTS.work)
        scene.machine.answer = SILENT
        await wait_for(3 * TIMEOUTS.silence)
        assert (scene.replica.state, scene.replica.restarts, scene.replica.hangs) == ("ready", 0, 0)

    play(tmp_path, scenario, server=FakeServer(work_path="/work"))


def test_on_a_busy_machine_a_server_that_hangs_is_restarted_all_the_same(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await wait_for()
        scene.machine.processes[0].starved = 1.0
        scene.machine.answer = SILENT
        await wait_for(11 * TIMEOUTS.silence)
        assert scene.replica.restarts == 1

    play(tmp_path, scenario)


def test_requests_that_take_long_are_no_hang(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        scene.machine.delays["/work"] = TIMEOUTS.work - 1
        await wait_for(20 * TIMEOUTS.work)
        assert (scene.replica.state, scene.replica.restarts, scene.replica.hangs) == ("ready", 0, 0)

    play(tmp_path, scenario, server=FakeServer(work_path="/work"))


def test_an_engine_without_such_a_path_is_not_asked(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await wait_for(20 * TIMEOUTS.work)
        assert {url.rpartition("/")[2] for _, url in scene.machine.probes} == {"ping"}

    play(tmp_path, scenario)
