"""A runner of jobs, and the calls that it makes."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from centralized_ml_api.local.jobs.book import JobBook
from centralized_ml_api.local.jobs.runner import JobRunner
from centralized_ml_api.local.jobs.store import JobStore
from centralized_ml_api.local.jobs.types import Answered, Asked, Job, JobLimits
from support.fake_target import HandClock, soon

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

CREATED = Answered(201, (("content-type", "text/plain"),))
PAUSED = Answered(503, (("retry-after", "60"),), is_for_now=True)


class World:
    """A runner whose calls do as the test says, by their path.

    `before` has what is raised instead of an answer, `breaks` what is raised within its body, `paused` the
    paths that the gateway refuses for now.
    """

    def __init__(self, folder: Path, *, call_seconds: float = 60, **limits: int) -> None:
        self.time = HandClock()
        self.book = JobBook(JobStore(folder), JobLimits(**limits), clock=self.time.clock)
        self.runner = JobRunner(self.book, self.call, clock=self.time.clock, call_seconds=call_seconds)
        self.called: list[tuple[str, bytes]] = []
        self.ended = 0
        self.before: dict[str, list[Exception]] = {}
        self.breaks: dict[str, Exception] = {}
        self.paused: set[str] = set()
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    @contextlib.asynccontextmanager
    async def call(self, asked: Asked, request: Path) -> AsyncIterator[tuple[Answered, AsyncIterator[bytes]]]:
        self.called.append((asked.path, await asyncio.to_thread(request.read_bytes)))
        if self.before.get(asked.path):
            raise self.before[asked.path].pop(0)
        try:
            await self.may_answer.wait()
            yield (PAUSED if asked.path in self.paused else CREATED), self.body(asked.path)
        finally:
            self.ended += 1

    async def body(self, path: str) -> AsyncIterator[bytes]:
        yield b"one "
        if path in self.breaks:
            raise self.breaks[path]
        yield b"two"

    async def add(self, path: str = "/chat", model: str = "chat") -> str:
        return (await self.book.add(Asked("red", path, model, ()), b"body")).id

    def hold_time(self) -> asyncio.Event:
        """Lets no time pass before the event that it returns."""
        sleep, may_pass = self.time.sleep, asyncio.Event()

        async def wait(seconds: float) -> None:
            await may_pass.wait()
            await sleep(seconds)

        self.time.sleep = wait  # type: ignore[method-assign]
        self.runner = JobRunner(self.book, self.call, clock=self.time.clock)
        return may_pass

    def job(self, job_id: str) -> Job:
        job = self.book.find(job_id, "red")
        assert job is not None
        return job

    async def over(self, job_id: str) -> Job:
        await soon(lambda: not self.job(job_id).is_open)
        return self.job(job_id)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.runner.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])
