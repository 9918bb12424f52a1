"""The jobs on the disk: crashes, answers, damage, the end of an event."""

from __future__ import annotations

import asyncio
import json
import stat
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.local.jobs.book import JobBook
from centralized_ml_api.local.jobs.store import JobStore
from centralized_ml_api.local.jobs.types import Answered, Job
from support.fake_target import NOON
from support.job_book import JSON, World, story

if TYPE_CHECKING:
    from pathlib import Path


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
        lost = ("a.json", "b.json", "c.json", "d.json", f"{bodiless.id}.json", "job_x.json")
        assert book.store.unreadable == lost
        again = world.again()
        await again.load()
        assert again.store.unreadable == (), "they are gone"

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
    assert [*tmp_path.iterdir()] == []


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


@pytest.mark.parametrize(("how", "left"), [("forget", []), ("forget_expired", ["cancelled"])])
def test_a_job_is_not_removed_while_its_end_is_being_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str, left: list[str]
) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        job = await world.add()
        book, may_end, did = world.book, threading.Event(), list[str]()
        store, begun, loop = book.store, asyncio.Event(), asyncio.get_running_loop()
        finish, remove = store.finish, store.remove

        def finish_slowly(over: Job) -> None:
            loop.call_soon_threadsafe(begun.set)
            assert may_end.wait(30)
            finish(over)
            did.append("finish")

        def note_removal(over: Job) -> None:
            did.append("remove")
            remove(over)

        monkeypatch.setattr(store, "finish", finish_slowly)
        monkeypatch.setattr(store, "remove", note_removal)
        cancelling = asyncio.create_task(book.cancel(job))
        await begun.wait()
        world.time.seconds = 1
        (cancelled,) = book.list_of("red")
        leaving = book.forget(cancelled) if how == "forget" else book.forget_expired(None)
        forgetting = asyncio.create_task(leaving)
        for _ in range(5):
            await asyncio.to_thread(int)  # a removal that does not wait has begun before the last of these
        may_end.set()
        await asyncio.gather(cancelling, forgetting)
        assert did == ["finish", "remove"][: 2 - len(left)]
        assert [each.status for each in book.list_of("red")] == left
        assert [*world.files] == [f"{job.id}.json"] * len(left)

    story(tell)


def test_a_job_that_is_being_removed_is_not_found_unless_the_disk_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        await world.answer(await world.add())
        (done,) = world.book.list_of("red")

        def refuse(job: Job) -> None:
            assert world.book.find(job.id, "red") is None
            raise PermissionError

        with monkeypatch.context() as patched:
            patched.setattr(world.book.store, "remove", refuse)
            with pytest.raises(PermissionError):
                await world.book.forget(done)
        assert world.book.find(done.id, "red") == done
        await world.book.forget(done)
        assert (world.book.list_of("red"), world.files) == ([], set())

    story(tell)
