"""The jobs of one API: who may add one, which is next, what becomes of each. Nothing here calls a model.

Everything runs in one event loop; the disk is waited for in threads. A job is on the disk before anybody is
told of it, and noted as running before its call goes out. So after a crash a job that was `queued` has not
been called, and runs; one that was `running` may have reached its model, and has failed.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.local.jobs.on_disk import run_to_end
from centralized_ml_api.local.jobs.types import Job, JobLimits
from centralized_ml_api.local.machine.clock import WALL_CLOCK, Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from centralized_ml_api.api.jobs import JobStatus
    from centralized_ml_api.local.jobs.store import JobStore
    from centralized_ml_api.local.jobs.types import Answered, Asked

_FIRST_ERROR = 400

Held = tuple[str, str]
"""A team and a model that it can not call for now."""


class TooManyJobsError(Exception):
    """There is no room for another job now."""


class JobBook:
    """Holds the jobs.

    `changed` is set whenever another job may be next.

    Args:
        store: Their folder.
        limits: How many there may be.
        clock: Tells when a job came and was over.
        make_id: Makes an id that nobody can guess.
    """

    def __init__(
        self,
        store: JobStore,
        limits: JobLimits | None = None,
        *,
        clock: Clock = WALL_CLOCK,
        make_id: Callable[[], str] = lambda: f"job_{secrets.token_hex(16)}",
    ) -> None:
        self.store, self.limits = store, limits or JobLimits()
        self.changed = asyncio.Event()
        self._clock, self._make_id = clock, make_id
        self._jobs: dict[str, Job] = {}
        self._numbers = 0
        self._last_start: dict[str, int] = {}
        self._starts = 0
        self._coming: list[Job] = []  # those that are being written
        self._held: set[Held] = set()
        self._leaving = asyncio.Lock()  # no file of a job is removed while its end is being written

    async def load(self) -> None:
        """Takes over what an earlier process left: what was running has failed.

        Raises:
            OSError: The folder cannot be read.
        """
        now = self._clock.now()
        for job in await asyncio.to_thread(self.store.load, now):
            self._jobs[job.id] = job
            self._numbers = max(self._numbers, job.number + 1)
        for job in list(self._jobs.values()):
            if job.status == "running":
                await self.fail(job, errors.JOB_INTERRUPTED)
        self.changed.set()

    def find(self, job_id: str, team: str) -> Job | None:
        """Returns the job of a team, as it is now."""
        job = self._jobs.get(job_id)
        return job if job is not None and job.asked.team == team else None

    def list_of(self, team: str) -> list[Job]:
        """Returns the jobs of a team, the newest first."""
        own = (job for job in self._jobs.values() if job.asked.team == team)
        return sorted(own, key=lambda job: job.number, reverse=True)

    def count(self, status: str) -> int:
        """Returns how many jobs are so."""
        return sum(job.status == status for job in self._jobs.values())

    def ahead_of(self, job: Job) -> int | None:
        """Returns how many jobs are called before it, as things are; None once it is over."""
        if not job.is_open:
            return None
        return self.places().get(job.id, 0)

    def places(self) -> dict[str, int]:
        """Returns by id how many jobs are called before each one that waits."""
        return {job.id: place for place, job in enumerate(self._order())}

    async def add(self, asked: Asked, body: bytes) -> Job:
        """Takes a job.

        Raises:
            TooManyJobsError: There is no room for it.
            OSError: It cannot be written.
        """
        self._check_room(asked.team, len(body))
        job = Job(self._make_id(), asked, self._clock.now().timestamp(), self._numbers, size=len(body))
        self._numbers += 1
        self._coming.append(job)
        try:
            await run_to_end(self.store.add, job, body)
        finally:
            self._coming.remove(job)
        self._jobs[job.id] = job
        self.changed.set()
        return job

    def take_next(self) -> Job | None:
        """Returns the job whose call is next, which runs from now on; None where none may run now.

        The turn goes round among the teams, each in its own order.
        """
        running = Counter(job.asked.team for job in self._jobs.values() if job.status == "running")
        if running.total() >= self.limits.running:
            return None
        free = (
            job
            for job in self._order()
            if running[job.asked.team] < self.limits.running_per_team and _who_and_what(job) not in self._held
        )
        job = next(free, None)
        if job is None:
            return None
        self._starts += 1
        self._last_start[job.asked.team] = self._starts
        taken = replace(job, status="running")
        self._jobs[job.id] = taken
        return taken

    async def save(self, job: Job) -> None:
        """Writes that a job runs, before its call goes out.

        Raises:
            OSError: That cannot be written, so the call must not go out.
        """
        await run_to_end(self.store.save, job)

    async def note_unsent(self, job: Job) -> None:
        """Writes that a job's call has surely not gone out: after a stop or a crash it waits again."""
        with contextlib.suppress(OSError):  # then it has failed after a crash, although it never ran
            await self.save(replace(job, status="queued"))

    def put_back(self, job: Job) -> None:
        """Lets a job whose call has surely not gone out wait again, in its old place."""
        self._put(replace(job, status="queued"))

    def may_wait(self, job: Job) -> bool:
        """Returns whether a job may go on waiting for a model that is paused or away."""
        return self._clock.now().timestamp() < job.created + self.limits.kept_seconds

    def hold(self, job: Job) -> Held | None:
        """Puts a job back whose model cannot be called for now, and holds its team's other jobs for it.

        Returns:
            What is to be given to `release` later; None if that is under way already.
        """
        held = _who_and_what(job)
        is_new = held not in self._held
        self._held.add(held)
        self.put_back(job)
        return held if is_new else None

    def release(self, held: Held) -> None:
        """Lets jobs be called that were held."""
        self._held.discard(held)
        self.changed.set()

    async def finish(self, job: Job, answered: Answered, size: int) -> None:
        """Keeps the answer that was written into what `store.open_answer` opened.

        Args:
            job: The job, which has run.
            answered: Status and headers of its answer.
            size: Bytes of its body.

        Raises:
            OSError: It cannot be kept.
        """
        status: JobStatus = "failed" if answered.status >= _FIRST_ERROR else "done"
        await self._end(replace(job, status=status, answered=answered, size=size))

    async def fail(self, job: Job, error: errors.ApiError) -> None:
        """Notes that a job has no answer, and why."""
        over = replace(job, status="failed", error=error.code, size=0)
        try:
            await self._end(over)
        except OSError:  # without room on the disk it is at least told
            self._put(replace(over, finished=self._clock.now().timestamp()))

    async def cancel(self, job: Job) -> Job:
        """Notes that nobody wants a job's answer any more; whoever makes its call ends that.

        Raises:
            OSError: That cannot be written.
        """
        now = self._clock.now().timestamp()  # at 0, it would have been over for long, and be forgotten
        cancelled = replace(job, status="cancelled", size=0, finished=now)
        self._put(cancelled)  # first, so that it is not called meanwhile
        async with self._leaving:
            return await self._end(cancelled)

    async def forget(self, job: Job) -> None:
        """Removes a job that is over; from the beginning on, nobody finds it.

        Raises:
            OSError: It cannot be removed, and so is found again.
        """
        async with self._leaving:
            found = self._jobs.pop(job.id, None)
            try:
                await run_to_end(self.store.remove, job)
            except OSError:
                if found is not None:
                    self._put(found)
                raise
        self.changed.set()

    async def forget_expired(self, ends: datetime | None) -> None:
        """Removes what nobody can want any more; notes when the event ends.

        Raises:
            OSError: The disk refuses.
        """
        await asyncio.to_thread(self.store.note_until, ends)
        now = self._clock.now()
        oldest = (now - timedelta(seconds=self.limits.kept_seconds)).timestamp()
        expired = [
            job
            for job in self._jobs.values()
            if (now >= ends if ends is not None else not job.is_open and job.finished < oldest)
        ]
        for job in expired:
            await self.forget(job)

    def _check_room(self, team: str, size: int) -> None:
        limits, jobs = self.limits, [*self._jobs.values(), *self._coming]
        own = [job for job in jobs if job.asked.team == team]
        is_full = (
            _count_waiting(own) >= (limits.waiting_per_team if team else limits.waiting)
            or _count_waiting(jobs) >= limits.waiting
            or len(own) >= limits.kept_per_team
            or sum(job.size for job in own) + size > limits.bytes_per_team
            or sum(job.size for job in jobs) + size > limits.bytes
        )
        if is_full:
            raise TooManyJobsError

    def _order(self) -> list[Job]:
        """Returns the jobs that wait, in the order in which they are called."""
        turns = Counter(job.asked.team for job in self._jobs.values() if job.status == "running")
        placed = []
        waiting = (job for job in self._jobs.values() if job.status == "queued")
        for job in sorted(waiting, key=lambda job: job.number):
            team = job.asked.team
            placed.append((turns[team], self._last_start.get(team, 0), job.number, job))
            turns[team] += 1
        return [job for *_, job in sorted(placed, key=lambda place: place[:3])]

    async def _end(self, job: Job) -> Job:
        over = replace(job, finished=self._clock.now().timestamp())
        await run_to_end(self.store.finish, over)
        self._put(over)
        return over

    def _put(self, job: Job) -> None:
        self._jobs[job.id] = job
        self.changed.set()


def _who_and_what(job: Job) -> Held:
    return job.asked.team, job.asked.model


def _count_waiting(jobs: Iterable[Job]) -> int:
    return sum(job.status == "queued" for job in jobs)
