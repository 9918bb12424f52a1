"""The jobs of `mlapi up`: what an earlier run left, what the end of the event takes."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.jobs.runner import AGAIN_SECONDS
from centralized_ml_api.local.jobs.types import Answered, Asked
from centralized_ml_api.local.machine.state_folder import StateFolder
from centralized_ml_api.local.run.jobs import SWEEP_SECONDS, Jobs
from centralized_ml_api.local.status import JobCounts
from support.fake_target import NOON, HandClock, soon

if TYPE_CHECKING:
    from pathlib import Path

ASKED = Asked("red", "/chat", "chat", ())


async def nothing() -> None:
    """A gateway that is told."""


def test_the_gateway_finds_it_by_a_token_that_no_log_has(tmp_path: Path) -> None:
    jobs = Jobs(StateFolder(tmp_path), HandClock().clock, print)
    try:
        assert jobs.door.port == jobs.socket.getsockname()[1]
        assert jobs.door.upstream.name == "/jobs"
        assert jobs.door.token not in repr(jobs.door)
    finally:
        jobs.socket.close()


def test_what_waits_is_counted_and_called_once_the_gateway_is_there(tmp_path: Path) -> None:
    async def story() -> None:
        time = HandClock()
        jobs = Jobs(StateFolder(tmp_path), time.clock, print)
        await jobs.load()
        await jobs.book.add(ASKED, b"")
        assert jobs.count() == JobCounts(waiting=1, running=0)
        told: list[bool] = []

        async def publish() -> None:
            told.append(jobs.runs_any())
            if len(told) == 1:
                raise StartError("the gateway does not answer")

        assert not jobs.runs_any(), "until then the gateway has no routes for them"
        running = asyncio.create_task(jobs.run(lambda: None, publish))
        await soon(lambda: SWEEP_SECONDS in time.slept and time.slept.count(AGAIN_SECONDS) > 2)
        assert told == [True, True], "it is told until it knows, and then no more"
        running.cancel()
        await asyncio.wait([running])
        jobs.socket.close()
        assert running.cancelled()
        (job,) = jobs.book.list_of("red")
        assert job.is_open, "no gateway has taken it"

    asyncio.run(asyncio.wait_for(story(), 60))


def test_the_end_of_the_event_takes_all_of_it(tmp_path: Path) -> None:
    async def story() -> None:
        time = HandClock()
        jobs = Jobs(StateFolder(tmp_path), time.clock, print)
        job = await jobs.book.add(ASKED, b"")
        with jobs.book.store.open_answer(job):
            pass
        await jobs.book.finish(job, Answered(200, ()), 0)
        ends = NOON + timedelta(seconds=SWEEP_SECONDS / 2)
        running = asyncio.create_task(jobs.run(lambda: ends, nothing))
        await soon(lambda: not jobs.book.list_of("red"))
        running.cancel()
        await asyncio.wait([running])
        jobs.socket.close()

    asyncio.run(asyncio.wait_for(story(), 60))


def test_a_folder_that_cannot_be_read_says_which(tmp_path: Path) -> None:
    async def story() -> None:
        jobs = Jobs(StateFolder(tmp_path), HandClock().clock, print)
        jobs.socket.close()
        await asyncio.to_thread((tmp_path / "jobs" / "until").mkdir, parents=True)
        with pytest.raises(StartError, match=r"the jobs in .*jobs cannot be read: Is a directory"):
            await jobs.load()

    asyncio.run(asyncio.wait_for(story(), 60))


def test_jobs_whose_files_are_damaged_are_lost_with_a_word(tmp_path: Path) -> None:
    said: list[str] = []
    (tmp_path / "jobs").mkdir()
    for name in ("a", "b"):
        (tmp_path / "jobs" / f"{name}.json").write_text("{")

    async def tell() -> None:
        for _ in range(2):
            jobs = Jobs(StateFolder(tmp_path), HandClock().clock, said.append)
            jobs.socket.close()
            await jobs.load()

    asyncio.run(asyncio.wait_for(tell(), 60))
    assert said == ["Jobs of an earlier run could not be read and are lost: a.json, b.json"]
