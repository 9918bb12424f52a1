"""What a replica decides about its server: ready, unready, restarted, given up; in virtual time."""

from __future__ import annotations

import asyncio
from collections import deque
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.errors import StartError, WeightsError
from centralized_ml_api.local.supervision.replica import (
    FIRST_PROBE_SECONDS,
    SLOWEST_STARTING_PROBE_SECONDS,
    SOONEST_SHARE,
    pause_until_probe,
)
from support.fake_machine import FakeServer
from support.replicated import NOT_READY, READY, REFUSED, SILENT, TIMEOUTS, Scene, play, wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.local.supervision.probe import ProbeResult


def test_it_is_ready_when_it_answers_and_its_process_ends_with_it(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        assert (scene.replica.state, scene.replica.pid) == ("starting", None)
        await wait_for()
        assert (scene.replica.state, scene.replica.reason, scene.replica.pid) == ("ready", "", 100)

    scene = play(tmp_path, scenario)
    assert scene.machine.probes[0][1] == f"http://127.0.0.1:{scene.replica.port}/ping"
    assert scene.states == ["ready", "restarting"]
    assert scene.replica.pid is None
    assert scene.machine.processes[0].stopped_with == TIMEOUTS.stop


def test_while_it_starts_it_is_probed_often_at_first_and_then_less(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        scene.machine.answer = REFUSED
        await wait_for(60)
        times = [time for time, _ in scene.machine.probes]
        pauses = [later - earlier for earlier, later in pairwise(times)]
        assert pauses[0] == pytest.approx(FIRST_PROBE_SECONDS)
        assert pauses[-1] == pytest.approx(SLOWEST_STARTING_PROBE_SECONDS)
        assert scene.state == "starting"
        scene.machine.answer = READY
        await wait_for()
        assert scene.state == "ready"

    play(tmp_path, scenario)


def test_while_it_starts_a_line_of_its_output_has_it_probed_sooner_but_never_all_the_time(
    tmp_path: Path,
) -> None:
    async def scenario(scene: Scene) -> None:
        scene.machine.answer = REFUSED
        await wait_for(60)

        async def next_probe() -> float:
            asked = scene.machine.asked = asyncio.Event()
            await asked.wait()
            return scene.machine.probes[-1][0]

        soonest = SLOWEST_STARTING_PROBE_SECONDS * SOONEST_SHARE
        probed = await next_probe()
        scene.replica.log.write(b"loading")
        assert await next_probe() == pytest.approx(probed + soonest)
        assert soonest < SLOWEST_STARTING_PROBE_SECONDS / 4, "calls may wait for it"
        await wait_for(2 * soonest)
        said = asyncio.get_running_loop().time()
        scene.replica.log.write(b"serving")
        assert await next_probe() == pytest.approx(said)
        probed = await next_probe()
        assert probed == pytest.approx(said + SLOWEST_STARTING_PROBE_SECONDS), "no line, no haste"

    play(tmp_path, scenario)


def test_nobody_reads_the_waits_of_all_its_threads_while_its_first_calls_are_let_through(
    tmp_path: Path,
) -> None:
    async def scenario(scene: Scene) -> None:
        await wait_for(TIMEOUTS.probe / 2)
        assert (scene.state, scene.machine.processes[0].looked) == ("ready", [])
        await wait_for(TIMEOUTS.probe)
        assert scene.machine.processes[0].looked[0] >= TIMEOUTS.probe

    play(tmp_path, scenario)


def test_one_that_ends_with_a_last_line_is_not_taken_for_one_that_starts(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        scene.machine.answer = REFUSED
        await wait_for(60)
        scene.replica.log.write(b"out of memory")
        scene.machine.processes[0].end(3)
        await wait_for(SLOWEST_STARTING_PROBE_SECONDS)
        assert scene.now == ("restarting", "ended with status 3 before it was ready")

    play(tmp_path, scenario)


def test_one_that_answers_that_it_is_not_ready_goes_on_starting(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        scene.machine.answer = NOT_READY
        await wait_for(TIMEOUTS.start - 1)
        assert (scene.replica.state, scene.replica.restarts) == ("starting", 0)
        scene.machine.answer = READY
        await wait_for()
        assert (scene.replica.state, len(scene.machine.processes)) == ("ready", 1)

    play(tmp_path, scenario)


def test_one_that_is_never_ready_is_given_up_after_three_starts(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        scene.machine.answer = REFUSED
        await wait_for(3 * TIMEOUTS.start + 10)

    scene = play(tmp_path, scenario)
    assert scene.seen[-1] == ("failed", "was not ready after 600 seconds")
    assert scene.states == ["restarting", "failed"]
    assert [process.stopped_with for process in scene.machine.processes] == [TIMEOUTS.stop] * 3
    assert scene.replica.restarts == 2


def test_one_that_ends_while_it_starts_is_given_up_with_its_status_and_last_words(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        scene.machine.answer, scene.machine.dies_at_once = REFUSED, 3
        await wait_for(5)

    scene = play(tmp_path, scenario)
    assert scene.now == (
        "failed",
        "ended with status 3 before it was ready",
    )
    assert scene.machine.starts == pytest.approx([0, 0.2, 0.6])
    assert scene.replica.log.last_lines() == ["process 102"], "the words of the last process alone"


def test_a_program_that_cannot_be_started_is_given_up_with_the_reason(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        scene.machine.refusals = deque([StartError("no such program")] * 3)
        await wait_for(5)

    scene = play(tmp_path, scenario)
    assert scene.seen == [("restarting", "no such program"), ("failed", "no such program")]
    assert scene.machine.processes == []


def test_one_that_ended_comes_back_on_another_port(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await wait_for()
        scene.machine.processes[0].end(-9)
        await wait_for(0.01)
        assert scene.now == ("restarting", "ended with status -9")
        pids.append(scene.replica.pid)
        await wait_for()
        assert scene.now == ("ready", "")
        pids.append(scene.replica.pid)

    pids: list[int | None] = []
    scene = play(tmp_path, scenario)
    assert pids == [None, 101]
    assert scene.replica.restarts == 1
    assert scene.replica.port == scene.machine.ports[-1]


def test_its_end_is_noticed_at_once_and_not_at_the_next_probe(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await wait_for(20)
        scene.machine.processes[0].end(1)
        await wait_for(0.001)
        assert scene.state == "restarting"

    play(tmp_path, scenario)


def test_the_more_often_it_ends_the_longer_is_the_pause_until_it_was_steady(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        for ready_seconds in (1, 1, 60, 1):
            await wait_for(ready_seconds)
            count, ended_at = len(scene.machine.processes), asyncio.get_running_loop().time()
            scene.machine.processes[-1].end(1)
            while len(scene.machine.processes) == count:
                await wait_for(0.01)
            pauses.append(scene.machine.starts[-1] - ended_at)

    pauses: list[float] = []
    play(tmp_path, scenario)
    assert pauses == pytest.approx([0.2, 0.4, 0.1, 0.2], abs=0.02)


def test_one_that_was_ready_once_is_never_given_up(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await wait_for()
        scene.machine.answer = REFUSED
        scene.machine.dies_at_once = 1
        scene.machine.processes[0].end(1)
        await wait_for(300)
        assert scene.state == "restarting"
        assert scene.replica.restarts > 10
        assert len(set(scene.machine.ports)) > 1, "a port that was taken meanwhile is not tried for ever"
        scene.machine.answer, scene.machine.dies_at_once = READY, None
        await wait_for(30)
        assert scene.state == "ready"

    play(tmp_path, scenario)


def test_it_is_unready_while_it_says_so_and_is_not_restarted(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await wait_for()
        scene.machine.answer = NOT_READY
        await wait_for(10 * TIMEOUTS.silence)
        assert scene.now == ("unready", "answers that it is not ready")
        scene.machine.answer = READY
        await wait_for(TIMEOUTS.probe)
        assert scene.now == ("ready", "")

    scene = play(tmp_path, scenario)
    assert scene.replica.restarts == 0
    assert scene.states == ["ready", "unready", "ready", "restarting"], "each change is told once"


@pytest.mark.parametrize("result", [SILENT, REFUSED])
def test_one_that_fell_silent_stays_ready_for_a_while_and_is_then_restarted(
    tmp_path: Path, result: ProbeResult
) -> None:
    async def scenario(scene: Scene) -> None:
        await wait_for()
        scene.machine.answer = result
        await wait_for(TIMEOUTS.silence - TIMEOUTS.probe)
        assert (scene.replica.state, scene.replica.restarts) == ("ready", 0), "it may be computing"
        await wait_for(3 * TIMEOUTS.probe)
        assert scene.machine.processes[0].stopped_with == TIMEOUTS.stop
        assert ("restarting", f"{result.value}: restarted") in scene.seen

    play(tmp_path, scenario)


def test_an_answer_in_between_ends_the_silence(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await wait_for()
        for _ in range(5):
            scene.machine.answer = SILENT
            await wait_for(TIMEOUTS.silence - 2 * TIMEOUTS.probe)
            scene.machine.answer = READY
            await wait_for(2 * TIMEOUTS.probe)

    assert play(tmp_path, scenario).replica.restarts == 0


def test_what_was_deleted_while_it_ran_is_prepared_again_before_it_starts(tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    weights.touch()

    async def scenario(scene: Scene) -> None:
        await wait_for()
        assert scene.said == []
        weights.unlink()
        scene.machine.processes[0].end(1)
        await wait_for()
        assert scene.said == ["downloading weights"], "that is what is shown meanwhile"
        assert scene.state == "ready"

    scene = play(tmp_path, scenario, server=FakeServer(needs=(weights,)))
    assert ("restarting", "downloading weights") in scene.seen
    assert scene.seen[-3:] == [("restarting", "ended with status 1"), ("ready", ""), ("restarting", "")]


def test_what_cannot_be_prepared_again_is_the_reason_and_is_tried_on(tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    weights.touch()

    async def scenario(scene: Scene) -> None:
        await wait_for()
        weights.unlink()
        scene.machine.processes[0].end(1)
        await wait_for(60)
        assert scene.now == ("restarting", "the weights cannot be had")
        assert scene.replica.restarts >= 4
        weights.touch()
        await wait_for(30)
        assert scene.state == "ready"

    play(
        tmp_path,
        scenario,
        server=FakeServer(needs=(weights,)),
        prepared=WeightsError("the weights cannot be had"),
    )


def test_waiting_for_a_start_makes_it_no_longer_by_more_than_a_twentieth() -> None:
    assert pause_until_probe(0) == FIRST_PROBE_SECONDS
    assert pause_until_probe(4) == pytest.approx(0.2)
    assert pause_until_probe(600) == SLOWEST_STARTING_PROBE_SECONDS


def test_what_a_server_says_of_its_model_is_known_once_it_is_ready(tmp_path: Path) -> None:
    known: list[dict[str, bool]] = []

    async def scenario(scene: Scene) -> None:
        scene.machine.descriptions["/about"] = {"tools": True}
        scene.machine.answers.extend([NOT_READY])
        assert scene.replica.about == {}
        await wait_for(100)
        known.append(scene.replica.about)

    play(tmp_path, scenario)
    assert known == [{"tools": True}]
