"""The jobs on the disk and in their order: room, turns among teams, crashes, the end of an event."""

from __future__ import annotations

import asyncio
import json
import stat
import threading
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.local.jobs.book import JobBook, TooManyJobsError
from centralized_ml_api.local.jobs.store import ID, JobStore
from centralized_ml_api.local.jobs.types import Answered, Asked, Job, JobLimits
from support.fake_target import NOON, HandClock

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

JSON = (("content-type", "application/json"),)


class World:
    """A book in a folder; `again` makes the one of the next process."""

    def __init__(self, folder: Path, **limits: int) -> None:
        self.folder, self.limits, self.time = folder, JobLimits(**limits), HandClock()
        self._ids = count()
        self.book = self.again()

    def again(self) -> JobBook:
        """A book that knows nothing yet."""
        store = JobStore(self.folder)
        self.book = JobBook(store, self.limits, clock=self.time.clock, make_id=self.make_id)
        return self.book

    def make_id(self) -> str:
        return f"job_{next(self._ids):032x}"

    async def add(self, team: str = "red", body: bytes = b"{}") -> Job:
        return await self.book.add(Asked(team, "/chat", "chat", JSON, "10.0.0.7:4711", "api"), body)

    async def answer(self, job: Job, status: int = 200) -> None:
        with self.book.store.open_answer(job) as file:
            file.write(b"it is so")
        await self.book.finish(job, Answered(status, JSON), 8)

    def taken(self) -> list[str]:
        """The teams whose jobs may be called now, in this order."""
        return [job.asked.team for job in iter(self.book.take_next, None)]

    @property
    def files(self) -> set[str]:
        folder = self.folder / "jobs"
        return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def story(tell: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(tell(), 60))


def test_a_job_is_on_the_disk_before_anybody_is_told_and_for_its_user_alone(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        job = await world.add(body=b"a body")
        assert (job.status, job.size, job.created) == ("queued", 6, NOON.timestamp())
        assert world.book.store.request_of(job).read_bytes() == b"a body"
        assert stat.S_IMODE((tmp_path / "jobs").stat().st_mode) == 0o700
        assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "jobs").iterdir()} == {0o600}
        assert world.book.changed.is_set()

    story(tell)


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


def test_an_answer_is_kept_and_the_body_of_its_call_is_not(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        job = await world.add()
        world.time.seconds = 30
        await world.answer(job)
        (done,) = world.book.list_of("red")
        assert (done.status, done.size, done.finished) == ("done", 8, job.created + 30)
        assert done.answered == Answered(200, JSON)
        assert world.book.store.answer_of(done).read_bytes() == b"it is so"
        assert world.files == {f"{job.id}.json", f"{job.id}.answer"}

    story(tell)


@pytest.mark.parametrize(("status", "told"), [(200, "done"), (399, "done"), (400, "failed"), (503, "failed")])
def test_an_answer_that_is_an_error_has_failed(tmp_path: Path, status: int, told: str) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        await world.answer(await world.add(), status)
        assert world.book.list_of("red")[0].status == told

    story(tell)


def test_after_a_crash_what_waited_waits_and_what_ran_has_failed(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        ran, waits, done = await world.add(), await world.add(), await world.add()
        await world.answer(done)
        taken = world.book.take_next()
        assert taken is not None
        await world.book.save(taken)
        with world.book.store.open_answer(taken) as file:
            file.write(b"half of")
        (tmp_path / "jobs" / "job_of_nobody.request").write_bytes(b"")
        before = world.book.find(done.id, "red")
        book = world.again()
        await book.load()
        assert book.changed.is_set()
        assert book.find(waits.id, "red") == waits
        assert book.find(done.id, "red") == before
        failed = book.find(ran.id, "red")
        assert failed is not None
        assert (failed.status, failed.error, failed.answered) == ("failed", "job_interrupted", None)
        kinds = ((ran, ("json",)), (waits, ("json", "request")), (done, ("json", "answer")))
        assert world.files == {f"{job.id}.{kind}" for job, own in kinds for kind in own}
        again = world.again()
        await again.load()
        assert again.list_of("red") == book.list_of("red")
        assert (await world.add()).number == 3, "it comes after those of before"

    story(tell)


def test_a_damaged_file_is_no_job(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        good, bodiless = await world.add(), await world.add()
        folder = tmp_path / "jobs"
        (folder / f"{bodiless.id}.request").unlink()
        (folder / "job_x.json").write_text("{")
        written = json.loads((folder / f"{good.id}.json").read_text())
        for name, more in (("a", {"id": "../up"}), ("b", {"asked": 7}), ("c", {"more": 1}), ("d", {})):
            (folder / f"{name}.json").write_text(json.dumps({**written, **more}))
        book = world.again()
        await book.load()
        assert book.list_of("red") == [good]
        assert world.files == {f"{good.id}.json", f"{good.id}.request"}

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


def test_answers_are_kept_for_a_day_where_no_event_ends(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        old, waits = await world.add(), await world.add()
        await world.answer(old)
        world.time.seconds = 24 * 3600
        await world.book.forget_expired(None)
        assert len(world.book.list_of("red")) == 2
        world.time.seconds += 1
        await world.book.forget_expired(None)
        assert world.book.list_of("red") == [waits]
        assert f"{old.id}.answer" not in world.files

    story(tell)


def test_answers_are_kept_until_the_event_ends_and_no_longer(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        await world.answer(await world.add())
        await world.add()
        ends = NOON + timedelta(days=3)
        await world.book.forget_expired(ends)
        world.time.seconds = timedelta(days=3).total_seconds() - 1
        await world.book.forget_expired(ends)
        book = world.again()
        await book.load()
        assert len(book.list_of("red")) == 2
        world.time.seconds += 1
        book = world.again()
        await book.load()
        assert (book.list_of("red"), world.files) == ([], set())
        await world.add()
        await book.forget_expired(ends)
        assert (book.list_of("red"), world.files) == ([], {"until"})

    story(tell)


def test_an_event_that_lost_its_end_loses_no_jobs(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        job = await world.add()
        await world.book.forget_expired(NOON + timedelta(hours=1))
        await world.book.forget_expired(None)
        world.time.seconds = 7200
        book = world.again()
        await book.load()
        assert book.list_of("red") == [job]

    story(tell)


def test_without_jobs_nothing_is_written(tmp_path: Path) -> None:
    async def tell() -> None:
        book = JobBook(JobStore(tmp_path))
        await book.load()
        await book.forget_expired(NOON)

    story(tell)


def test_a_disk_that_refuses_takes_no_job_and_a_failure_is_told_anyway(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path / "missing")
        with pytest.raises(OSError, match="missing"):
            await world.add()
        assert world.book.list_of("red") == []
        await asyncio.to_thread((tmp_path / "missing").mkdir)
        job = await world.add()
        await asyncio.to_thread((tmp_path / "missing" / "jobs").rename, tmp_path / "away")
        await world.book.fail(job, errors.API_FAILED)
        (failed,) = world.book.list_of("red")
        assert (failed.status, failed.error) == ("failed", "api_failed")

    story(tell)


def test_a_write_that_nobody_waits_for_ends_before_the_next_one_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        job = await world.add()
        store, may_end, writes = world.book.store, threading.Event(), list[str]()
        save, begun, loop = store.save, asyncio.Event(), asyncio.get_running_loop()

        def save_slowly(written: Job) -> None:
            writes.append(f"{written.status} begins")
            loop.call_soon_threadsafe(begun.set)
            if written.status == "running":
                may_end.wait(30)
            save(written)
            writes.append(f"{written.status} ends")

        monkeypatch.setattr(store, "save", save_slowly)
        taken = world.book.take_next()
        assert taken is not None
        saving = asyncio.create_task(world.book.save(taken))
        await begun.wait()
        saving.cancel()
        loop.call_soon(may_end.set)
        await asyncio.wait([saving])
        assert saving.cancelled()
        assert (await world.book.cancel(taken)).status == "cancelled"
        assert writes == ["running begins", "running ends", "cancelled begins", "cancelled ends"]
        assert world.files == {f"{job.id}.json"}

    story(tell)
