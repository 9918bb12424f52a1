"""Makes the calls of jobs, some at the same time, and keeps their answers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, BinaryIO

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.jobs import CALL_SECONDS, RETRY_AFTER_SECONDS
from centralized_ml_api.local.jobs.call import BrokenAnswerError, BrokenCallError, UnsentError
from centralized_ml_api.local.jobs.on_disk import run_to_end
from centralized_ml_api.local.machine.clock import WALL_CLOCK, Clock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from centralized_ml_api.local.jobs.book import Held, JobBook
    from centralized_ml_api.local.jobs.types import Answered, Asked, Job

    Call = Callable[[Asked, Path], AbstractAsyncContextManager[tuple[Answered, AsyncIterator[bytes]]]]

AGAIN_SECONDS = 1.0
"""After a call that did not go out or was cut, because the gateway is away: it comes back by itself."""

HELD_SECONDS = float(RETRY_AFTER_SECONDS)
"""After a call that the gateway refuses for now: its model is paused, wakes, or is away."""


class _ForNowError(Exception):
    """The gateway refuses the call for now."""


class AnswerTooLargeError(Exception):
    """An answer is larger than what is kept."""


class JobRunner:
    """Runs the jobs of a book.

    Args:
        book: The jobs.
        call: Makes a call, with the body in a file; gives the answer and its body. Raises what
            `call_gateway` raises.
        clock: Waits.
        call_seconds: How long a call may take.
    """

    def __init__(
        self, book: JobBook, call: Call, *, clock: Clock = WALL_CLOCK, call_seconds: float = CALL_SECONDS
    ) -> None:
        self._book, self._call, self._clock, self._call_seconds = book, call, clock, call_seconds
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._holds: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Makes calls until cancelled. What is under way then is left as it is: it was cut off."""
        try:
            while True:
                self._book.changed.clear()
                while (job := self._book.take_next()) is not None:
                    self._tasks[job.id] = asyncio.create_task(self._run_one(job))
                await self._book.changed.wait()
        finally:
            tasks = [*self._tasks.values(), *self._holds]
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.wait(tasks)

    async def cancel(self, job: Job) -> Job | None:
        """Ends a job that waits or runs.

        Returns:
            The job as it is then; None if it was over before.

        Raises:
            OSError: The disk refuses to note that.
        """
        task = self._tasks.get(job.id)
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        now = self._book.find(job.id, job.asked.team)
        return await self._book.cancel(now) if now is not None and now.is_open else None

    async def _run_one(self, job: Job) -> None:
        book = self._book
        try:
            await book.save(job)
            async with asyncio.timeout(self._call_seconds):
                answered, size = await self._ask(job)
            await book.finish(job, answered, size)
        except UnsentError:
            await book.note_unsent(job)
            await self._clock.sleep(AGAIN_SECONDS)
            book.put_back(job)
        except _ForNowError:
            await book.note_unsent(job)
            self._hold(job)
        except TimeoutError:
            seconds = f"{self._call_seconds:g}"
            await book.fail(job, errors.MODEL_TOO_SLOW.with_message("after", seconds=seconds))
        except AnswerTooLargeError:
            await book.fail(job, errors.ANSWER_TOO_LARGE)
        except BrokenCallError:
            # A gateway that dies closes its calls before its door, in which the next call would be lost, too.
            await self._clock.sleep(AGAIN_SECONDS)
            await book.fail(job, errors.JOB_INTERRUPTED)
        except BrokenAnswerError:
            await book.fail(job, errors.MODEL_FAILED)
        except Exception:  # noqa: BLE001  # the disk refuses; whatever it is, the job's place is free again
            await book.fail(job, errors.API_FAILED)
        finally:
            del self._tasks[job.id]

    def _hold(self, job: Job) -> None:
        """Puts a job back; until a while has passed, its team calls this model for no other job either."""
        held = self._book.hold(job)
        if held is not None:
            task = asyncio.create_task(self._release_later(held))
            self._holds.add(task)
            task.add_done_callback(self._holds.discard)

    async def _release_later(self, held: Held) -> None:
        await self._clock.sleep(HELD_SECONDS)
        self._book.release(held)

    async def _ask(self, job: Job) -> tuple[Answered, int]:
        """Makes the call and writes the body of its answer; returns its size too."""
        store = self._book.store
        async with self._call(job.asked, store.request_of(job)) as (answered, body):
            if answered.is_for_now and self._book.may_wait(job):
                raise _ForNowError
            with await run_to_end(store.open_answer, job) as file:
                return answered, await self._write(body, file)

    async def _write(self, body: AsyncIterator[bytes], file: BinaryIO) -> int:
        size = 0
        async for chunk in body:
            size += len(chunk)
            if size > self._book.limits.answer_bytes:
                raise AnswerTooLargeError
            await run_to_end(file.write, chunk)
        return size
