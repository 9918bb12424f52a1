"""The supervised admission service: when it starts, when it starts again, when it does not."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.admission.terms import OCCUPANCY_SOCKET, SOCKETS
from centralized_ml_api.local.run.admission_process import SupervisedAdmission
from centralized_ml_api.local.supervision.process import ServerLog
from support.fake_target import FakeProcess, HandClock, soon

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from centralized_ml_api.local.launch import Launch


class World:
    """A supervised admission service whose processes are fakes."""

    def __init__(self, folder: Path) -> None:
        self.time = HandClock()
        self.folder = folder / "new" / "gateway"
        self.log = ServerLog(folder / "admission.log")
        self.did: list[str] = []
        self.launched: list[Launch] = []
        self.processes: list[FakeProcess] = []
        self.failures = 0
        self.admission = SupervisedAdmission(
            self.folder, self.log, clock=self.time.clock, start_process=self.start_process
        )

    async def start_process(self, launch: Launch, log: ServerLog) -> FakeProcess:
        assert log is self.log
        self.launched.append(launch)
        if self.failures:
            self.failures -= 1
            raise StartError("no memory")
        process = FakeProcess(self.did)
        self.processes.append(process)
        return process


def test_without_a_file_of_its_own_the_accounts_are_in_its_folder(tmp_path: Path) -> None:
    admission = SupervisedAdmission(tmp_path, ServerLog(tmp_path / "admission.log"))
    assert admission.load_used() == {}
    assert admission.build_argv()[-1] == "centralized_ml_api.local.admission"


def told(folder: Path, tell: Callable[[World], Awaitable[None]]) -> None:
    async def main() -> None:
        world = World(folder)
        running = asyncio.create_task(world.admission.run())
        try:
            await asyncio.wait_for(tell(world), 60)
        finally:
            running.cancel()
            await asyncio.wait({running})

    asyncio.run(main())


def test_it_runs_in_the_folder_of_the_gateway_which_only_its_user_may_read(tmp_path: Path) -> None:
    async def tell(world: World) -> None:
        await world.admission.start()
        (launch,) = world.launched
        assert launch.cwd == world.folder
        assert world.folder.stat().st_mode & 0o777 == 0o700
        assert launch.argv[1:] == ("-P", "-m", "centralized_ml_api.local.admission")
        ours = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        assert launch.environment == ours, "it never calls AWS"

    told(tmp_path, tell)


def test_a_start_takes_the_place_of_the_one_that_runs(tmp_path: Path) -> None:
    async def tell(world: World) -> None:
        await world.admission.start()
        await world.admission.start()
        assert len(world.processes) == 2
        assert world.did == ["stop 1"]
        await asyncio.sleep(0.01)
        assert len(world.processes) == 2, "what ended on purpose is not started again"
        world.processes[1].status.set_result(1)
        await soon(lambda: len(world.processes) == 3)

    told(tmp_path, tell)


def test_one_that_ends_is_started_again(tmp_path: Path) -> None:
    async def tell(world: World) -> None:
        await world.admission.start()
        await asyncio.sleep(0)
        world.processes[0].status.set_result(-9)
        await soon(lambda: len(world.processes) == 2)
        assert world.admission.restarts == 1
        world.processes[1].status.set_result(-9)
        await soon(lambda: len(world.processes) == 3)

    told(tmp_path, tell)


def test_each_end_waits_longer_for_the_next_start_until_it_was_steady(tmp_path: Path) -> None:
    async def tell(world: World) -> None:
        async def end(after_seconds: float) -> None:
            await asyncio.sleep(0)
            world.time.seconds += after_seconds
            count = len(world.processes)
            world.processes[-1].status.set_result(1)
            await soon(lambda: len(world.processes) == count + 1)

        await world.admission.start()
        for after_seconds in (0, 0, 100):
            await end(after_seconds)
        assert world.time.slept == pytest.approx([0.2, 0.4, 0.1])

    told(tmp_path, tell)


@pytest.mark.parametrize(("meanwhile", "processes"), [("start", 2), ("stop", 1)])
def test_what_is_asked_for_while_it_waits_is_all_that_happens(
    meanwhile: str, processes: int, tmp_path: Path
) -> None:
    async def tell(world: World) -> None:
        sleep = world.time.sleep

        async def ask(seconds: float) -> None:
            await getattr(world.admission, meanwhile)()
            await sleep(seconds)

        world.time.sleep = ask  # type: ignore[method-assign]
        admission = SupervisedAdmission(
            world.folder, world.log, clock=world.time.clock, start_process=world.start_process
        )
        world.admission = admission
        running = asyncio.create_task(admission.run())
        await admission.start()
        await asyncio.sleep(0)
        world.processes[0].status.set_result(1)
        await soon(lambda: world.time.slept)
        for _ in range(20):
            await asyncio.sleep(0)
        assert (len(world.processes), admission.restarts) == (processes, 0)
        running.cancel()
        await asyncio.wait({running})

    told(tmp_path, tell)


def test_a_start_that_fails_is_tried_again(tmp_path: Path) -> None:
    async def tell(world: World) -> None:
        await world.admission.start()
        await asyncio.sleep(0)
        world.failures = 3
        world.processes[0].status.set_result(1)
        await soon(lambda: len(world.processes) == 2)
        assert len(world.launched) == 5

    told(tmp_path, tell)


def test_after_a_stop_nothing_starts_again(tmp_path: Path) -> None:
    async def tell(world: World) -> None:
        await world.admission.start()
        await asyncio.sleep(0)
        await world.admission.stop()
        assert world.did == ["stop 1"]
        await asyncio.sleep(0.01)
        assert len(world.processes) == 1

    told(tmp_path, tell)


def test_the_first_start_says_why_it_fails(tmp_path: Path) -> None:
    async def tell(world: World) -> None:
        world.failures = 1
        with pytest.raises(StartError, match="no memory"):
            await world.admission.start()

    told(tmp_path, tell)


def test_one_that_does_not_answer_in_time_is_told_with_its_last_lines(tmp_path: Path) -> None:
    async def tell(world: World) -> None:
        await world.admission.start()
        world.log.write(b"ImportError: grpc")
        with pytest.raises(StartError, match=r"within 0\.05 seconds") as failed:
            await world.admission.wait_ready(0.05)
        assert "ImportError: grpc" in failed.value.message
        assert failed.value.fix == f"the whole log: mlapi logs admission --state {world.log.path.parents[1]}"
        assert await world.admission.occupancy() == {}

    told(tmp_path, tell)


def test_it_says_how_busy_the_entries_are(tmp_path: Path) -> None:
    async def tell(world: World) -> None:
        await world.admission.start()

        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b'{"chat": {"under_way": 4, "waiting": 2}}')
            writer.close()

        async with await asyncio.start_unix_server(answer, world.folder / OCCUPANCY_SOCKET):
            await world.admission.wait_ready()
            assert await world.admission.occupancy() == {"chat": {"under_way": 4, "waiting": 2}}

    told(tmp_path, tell)


def test_one_that_is_ended_leaves_no_sockets_behind(tmp_path: Path) -> None:
    async def tell(world: World) -> None:
        assert not world.admission.is_wanted
        await world.admission.start()
        assert world.admission.is_wanted
        for name in SOCKETS:
            (world.folder / name).touch()
        await world.admission.stop()
        assert not world.admission.is_wanted
        assert list(world.folder.iterdir()) == []

    told(tmp_path, tell)
