"""The jobs in their order: room, turns among teams."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.jobs.book import JobBook, TooManyJobsError
from centralized_ml_api.local.jobs.store import ID, JobStore
from centralized_ml_api.local.jobs.types import Asked, Job
from support.job_book import World, story

if TYPE_CHECKING:
    from pathlib import Path


def test_ids_cannot_be_guessed(tmp_path: Path) -> None:
    async def tell() -> None:
        book = JobBook(JobStore(tmp_path))
        ids = {(await book.add(Asked("", "/chat", "chat", ()), b"")).id for _ in range(3)}
        assert len(ids) == 3
        assert all(ID.fullmatch(each) for each in ids)

    story(tell)


def test_only_the_team_that_asked_finds_a_job(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        first, second, blue = await world.add(), await world.add(), await world.add("blue")
        assert world.book.find(first.id, "red") == first
        assert world.book.find(first.id, "blue") is None
        assert world.book.find(first.id, "") is None
        assert world.book.find("job_0", "red") is None
        assert world.book.list_of("red") == [second, first]
        assert world.book.list_of("blue") == [blue]

    story(tell)


def test_the_turn_goes_round_among_the_teams(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path, running_per_team=2, running=3)
        jobs = [await world.add(team) for team in ("red", "red", "red", "blue")]
        assert [world.book.ahead_of(job) for job in jobs] == [0, 2, 3, 1]
        assert world.taken() == ["red", "blue", "red"]
        running = world.book.list_of("red")[-1]
        assert (running.status, world.book.ahead_of(running)) == ("running", 0)
        assert world.book.ahead_of(jobs[2]) == 0
        assert world.taken() == []
        await world.answer(running)
        assert world.book.ahead_of(world.book.list_of("red")[-1]) is None
        await world.add("green")
        assert world.taken() == ["green"], "it has none under way"

    story(tell)


def test_the_team_whose_turn_was_longest_ago_is_next(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path, running=1)
        red, blue = await world.add("red"), await world.add("blue")
        for job in (red, blue):
            assert world.taken() == [job.asked.team]
            await world.answer(job)
        await world.add("blue")
        await world.add("red")
        assert world.taken() == ["red"]

    story(tell)


def test_no_team_has_more_calls_under_way_than_its_share(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path, running_per_team=2, running=9)
        for _ in range(3):
            await world.add()
        assert world.taken() == ["red", "red"]
        assert (world.book.count("queued"), world.book.count("running")) == (1, 2)

    story(tell)


@pytest.mark.parametrize("bound", ["waiting_per_team", "waiting", "kept_per_team"])
def test_there_is_no_room_beyond_a_bound_until_one_is_gone(tmp_path: Path, bound: str) -> None:
    async def tell() -> None:
        world = World(tmp_path, **{bound: 2})
        first, _ = await world.add(), await world.add()
        with pytest.raises(TooManyJobsError):
            await world.add()
        assert len(world.book.list_of("red")) == 2
        await world.book.forget(await world.book.cancel(first))
        await world.add()

    story(tell)


@pytest.mark.parametrize("bound", ["bytes_per_team", "bytes"])
def test_bodies_and_answers_take_no_more_than_there_is(tmp_path: Path, bound: str) -> None:
    async def tell() -> None:
        world = World(tmp_path, **{bound: 10})
        job = await world.add(body=b"12345")
        await world.add(body=b"12345")
        with pytest.raises(TooManyJobsError):
            await world.add(body=b"1")
        await world.answer(job)
        with pytest.raises(TooManyJobsError):
            await world.add(body=b"")
        await world.book.forget(world.book.list_of("red")[-1])
        await world.add(body=b"12345")

    story(tell)


@pytest.mark.parametrize("limits", [{"waiting_per_team": 1}, {"kept_per_team": 1}, {"bytes_per_team": 2}])
def test_a_teams_own_bounds_are_not_anothers(tmp_path: Path, limits: dict[str, int]) -> None:
    async def tell() -> None:
        world = World(tmp_path, **limits)
        await world.add("red")
        await world.add("blue")
        with pytest.raises(TooManyJobsError):
            await world.add("blue")

    story(tell)


@pytest.mark.parametrize("bound", ["waiting_per_team", "waiting", "kept_per_team"])
def test_many_that_come_at_once_get_no_more_room(tmp_path: Path, bound: str) -> None:
    async def tell() -> None:
        world = World(tmp_path, **{bound: 2})
        added = await asyncio.gather(*(world.add() for _ in range(5)), return_exceptions=True)
        assert sum(isinstance(each, Job) for each in added) == 2

    story(tell)


def test_many_large_ones_that_come_at_once_get_no_more_room(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path, bytes=10)
        added = await asyncio.gather(*(world.add(body=b"12345") for _ in range(5)), return_exceptions=True)
        assert sum(isinstance(each, Job) for each in added) == 2

    story(tell)


def test_without_teams_all_callers_are_one_and_share_what_may_wait(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path, waiting_per_team=1, waiting=3)
        for _ in range(3):
            await world.add("")
        with pytest.raises(TooManyJobsError):
            await world.add("")

    story(tell)


@pytest.mark.parametrize(("status", "told"), [(200, "done"), (399, "done"), (400, "failed"), (503, "failed")])
def test_an_answer_that_is_an_error_has_failed(tmp_path: Path, status: int, told: str) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        await world.answer(await world.add(), status)
        assert world.book.list_of("red")[0].status == told

    story(tell)


def test_a_job_whose_call_has_not_gone_out_keeps_its_place(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path, running=1)
        first, second = await world.add(), await world.add()
        taken = world.book.take_next()
        assert taken is not None
        await world.book.save(taken)
        await world.book.note_unsent(taken)
        world.book.put_back(taken)
        assert world.book.ahead_of(second) == 1
        book = world.again()
        await book.load()
        next_one = book.take_next()
        assert next_one is not None
        assert next_one.id == first.id

    story(tell)


def test_a_cancelled_job_is_not_called_and_stays_until_it_is_forgotten(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        job = await world.add()
        cancelling = asyncio.create_task(world.book.cancel(job))
        await asyncio.sleep(0)
        assert world.book.take_next() is None, "also while that is being written"
        cancelled = await cancelling
        assert (cancelled.status, cancelled.size) == ("cancelled", 0)
        assert world.files == {f"{job.id}.json"}
        book = world.again()
        await book.load()
        assert book.list_of("red") == [cancelled]
        await book.forget(cancelled)
        assert (book.list_of("red"), world.files) == ([], set())

    story(tell)
