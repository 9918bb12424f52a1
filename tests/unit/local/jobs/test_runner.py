"""The calls of jobs: their answers, what breaks off, what is cancelled."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.jobs.book import JobBook
from centralized_ml_api.local.jobs.call import BrokenAnswerError, BrokenCallError, UnsentError
from centralized_ml_api.local.jobs.runner import AGAIN_SECONDS, HELD_SECONDS, JobRunner
from centralized_ml_api.local.jobs.store import JobStore
from centralized_ml_api.local.jobs.types import Asked
from support.fake_target import soon
from support.job_runner import CREATED, PAUSED, World
from support.story import story

if TYPE_CHECKING:
    from pathlib import Path


def test_a_job_is_called_once_with_its_body_and_its_answer_is_kept(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        async with world.running():
            job = await world.over(await world.add())
            assert (job.status, job.answered, job.size) == ("done", CREATED, 7)
            assert world.book.store.answer_of(job).read_bytes() == b"one two"
            later = await world.over(await world.add("/later"))
            assert later.status == "done"
        assert world.called == [("/chat", b"body"), ("/later", b"body")]

    story(tell)


def test_it_is_noted_on_the_disk_before_the_call_goes_out(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        world.may_answer.clear()
        job_id = await world.add()
        async with world.running():
            await soon(lambda: world.called)
            assert '"running"' in (tmp_path / "jobs" / f"{job_id}.json").read_text()
        assert world.ended == 1, "what is under way ends with the runner"
        book = JobBook(JobStore(tmp_path))
        await book.load()
        (job,) = book.list_of("red")
        assert (job.status, job.error) == ("failed", "job_interrupted")

    story(tell)


def test_as_many_are_under_way_as_may_be(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path, running=2, running_per_team=2)
        world.may_answer.clear()
        ids = [await world.add(f"/{number}") for number in range(3)]
        async with world.running():
            await soon(lambda: len(world.called) == 2)
            assert world.book.count("queued") == 1
            world.may_answer.set()
            assert [(await world.over(each)).status for each in ids] == ["done"] * 3

    story(tell)


@pytest.mark.parametrize(
    ("before", "breaks", "told"),
    [
        (BrokenCallError(), None, "job_interrupted"),
        (None, BrokenAnswerError(), "model_failed"),
        (OSError(), None, "api_failed"),
        (RuntimeError(), None, "api_failed"),
        (None, OSError(), "api_failed"),
        (TimeoutError(), None, "model_too_slow"),
    ],
)
def test_a_call_that_breaks_off_has_failed_and_is_not_repeated(
    tmp_path: Path, before: Exception | None, breaks: Exception | None, told: str
) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        if before:
            world.before["/chat"] = [before]
        if breaks:
            world.breaks["/chat"] = breaks
        async with world.running():
            job = await world.over(await world.add())
            assert (job.status, job.error, job.answered) == ("failed", told, None)
            assert (await world.over(await world.add("/later"))).status == "done"
        assert [path for path, _ in world.called] == ["/chat", "/later"]
        assert [path.suffix for path in (tmp_path / "jobs").glob(f"{job.id}*")] == [".json"]

    story(tell)


def test_after_a_call_that_was_cut_the_next_one_waits(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path, running_per_team=1)
        world.before["/chat"] = [BrokenCallError()]
        called: list[int] = []
        sleep = world.time.sleep

        async def note(seconds: float) -> None:
            called.append(len(world.called))
            await sleep(seconds)

        world.time.sleep = note  # type: ignore[method-assign]
        world.runner = JobRunner(world.book, world.call, clock=world.time.clock)
        async with world.running():
            await world.add()
            assert (await world.over(await world.add("/later"))).status == "done"
        assert (called, world.time.slept) == ([1], [AGAIN_SECONDS])

    story(tell)


def test_a_call_that_has_not_gone_out_is_made_again(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        world.before["/chat"] = [UnsentError(), UnsentError()]
        async with world.running():
            assert (await world.over(await world.add())).status == "done"
        assert len(world.called) == 3
        assert world.time.slept == [AGAIN_SECONDS] * 2

    story(tell)


def test_a_call_that_has_not_gone_out_is_made_after_a_stop_meanwhile(tmp_path: Path) -> None:
    async def tell() -> None:
        world, waits, forever = World(tmp_path), asyncio.Event(), asyncio.Event()

        async def wait(seconds: float) -> None:  # noqa: ARG001  # as of every clock
            waits.set()
            await forever.wait()

        world.time.sleep = wait  # type: ignore[method-assign]
        world.runner = JobRunner(world.book, world.call, clock=world.time.clock)
        world.before["/chat"] = [UnsentError()]
        async with world.running():
            job_id = await world.add()
            await waits.wait()
            assert world.job(job_id).status == "running"
        again = World(tmp_path)
        await again.book.load()
        async with again.running():
            assert (await again.over(job_id)).status == "done"

    story(tell)


def test_a_call_that_takes_too_long_ends(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path, call_seconds=0.01)
        world.may_answer.clear()
        async with world.running():
            job = await world.over(await world.add())
            assert job.error == "model_too_slow"

    story(tell)


@pytest.mark.parametrize(("limit", "told"), [(6, "failed"), (7, "done")])
def test_an_answer_that_is_too_large_is_not_kept(tmp_path: Path, limit: int, told: str) -> None:
    async def tell() -> None:
        world = World(tmp_path, answer_bytes=limit)
        async with world.running():
            job = await world.over(await world.add())
            assert (job.status, job.error) == (told, "answer_too_large" if told == "failed" else "")

    story(tell)


def test_a_call_that_is_cancelled_ends_and_gives_its_place_back(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path, running=1)
        world.may_answer.clear()
        first, second = await world.add("/first"), await world.add("/second")
        async with world.running():
            await soon(lambda: len(world.called) == 1)
            cancelled = await world.runner.cancel(world.job(first))
            assert cancelled is not None
            assert (cancelled.status, world.ended) == ("cancelled", 1)
            await soon(lambda: len(world.called) == 2)
            world.may_answer.set()
            done = await world.over(second)
            assert done.status == "done"
            assert await world.runner.cancel(done) is None

    story(tell)


def test_a_job_that_waits_is_cancelled_without_a_call(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        job_id = await world.add()
        cancelled = await world.runner.cancel(world.job(job_id))
        assert cancelled is not None
        assert cancelled.status == "cancelled"
        async with world.running():
            await world.over(await world.add("/later"))
        assert [path for path, _ in world.called] == ["/later"]

    story(tell)


def test_a_job_whose_model_is_paused_waits_for_the_end_of_the_pause(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path, running=1)
        world.paused = {"/chat"}
        may_pass = world.hold_time()
        async with world.running():
            job_id, later = await world.add(), await world.add("/more")
            await soon(lambda: world.called)
            await soon(lambda: world.book.count("running") == 0)
            assert (await world.over(await world.add("/other", "other"))).status == "done"
            assert world.called == [("/chat", b"body"), ("/other", b"body")], "the model's others wait, too"
            assert [world.job(each).status for each in (job_id, later)] == ["queued"] * 2
            assert '"queued"' in (tmp_path / "jobs" / f"{job_id}.json").read_text()
            world.paused.clear()
            may_pass.set()
            job = await world.over(job_id)
            assert (job.status, job.answered) == ("done", CREATED)
            assert (await world.over(later)).status == "done"
        assert world.time.slept == [HELD_SECONDS]

    story(tell)


def test_a_pause_does_not_hold_another_team_up(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        world.paused = {"/chat"}
        world.hold_time()
        async with world.running():
            await world.add()
            await soon(lambda: world.called)
            blue = await world.book.add(Asked("blue", "/free", "chat", ()), b"")
            await soon(lambda: not getattr(world.book.find(blue.id, "blue"), "is_open", True))

    story(tell)


@pytest.mark.parametrize(("kept", "calls"), [(2 * HELD_SECONDS, 3), (0, 1)])
def test_a_job_waits_no_longer_than_its_answer_would_be_kept(tmp_path: Path, kept: float, calls: int) -> None:
    async def tell() -> None:
        world = World(tmp_path, kept_seconds=int(kept))
        world.paused = {"/chat"}
        async with world.running():
            job = await world.over(await world.add())
        assert (job.status, job.answered, len(world.called)) == ("failed", PAUSED, calls)
        assert world.book.store.answer_of(job).read_bytes() == b"one two"

    story(tell)


def test_a_job_that_waits_for_its_model_is_cancelled(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        world.paused = {"/chat"}
        may_pass = world.hold_time()
        async with world.running():
            job_id = await world.add()
            await soon(lambda: world.called and world.book.count("running") == 0)
            cancelled = await world.runner.cancel(world.job(job_id))
            assert cancelled is not None
            assert cancelled.status == "cancelled"
            may_pass.set()
            await soon(lambda: world.time.slept)
        assert len(world.called) == 1

    story(tell)


def test_the_end_of_a_runner_ends_its_waits(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        world.paused = {"/chat"}
        world.hold_time()
        before = asyncio.all_tasks()
        async with world.running():
            await world.add()
            await soon(lambda: world.called and world.book.count("running") == 0)
        assert asyncio.all_tasks() == before

    story(tell)
