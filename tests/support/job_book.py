"""A book of jobs in a folder, for tests: its time stands still, its ids are counted."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.jobs.book import JobBook
from centralized_ml_api.local.jobs.store import JobStore
from centralized_ml_api.local.jobs.types import Answered, Asked, Job, JobLimits
from support.fake_target import HandClock

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
        """The next id."""
        return f"job_{next(self._ids):032x}"

    async def add(self, team: str = "red", body: bytes = b"{}") -> Job:
        """A new job of a team."""
        return await self.book.add(Asked(team, "/chat", "chat", JSON, "10.0.0.7:4711", "api"), body)

    async def answer(self, job: Job, status: int = 200) -> None:
        """Answers it in eight bytes."""
        with self.book.store.open_answer(job) as file:
            file.write(b"it is so")
        await self.book.finish(job, Answered(status, JSON), 8)

    def taken(self) -> list[str]:
        """The teams whose jobs may be called now, in this order."""
        return [job.asked.team for job in iter(self.book.take_next, None)]

    @property
    def files(self) -> set[str]:
        """The names of all files of jobs."""
        folder = self.folder / "jobs"
        return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def story(tell: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Tells it within a minute."""
    asyncio.run(asyncio.wait_for(tell(), 60))
