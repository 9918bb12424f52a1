"""Decides how many workers a function has: one per concurrent call, up to a limit; further calls queue."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from centralized_ml_api.local.lambda_host.runtime_api import Failed, Invocation, Outcome
from centralized_ml_api.local.lambda_host.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from centralized_ml_api.local.lambda_host.server import HostSpecification

    MakeWorker = Callable[[HostSpecification, Callable[[Worker], None]], Worker]


class LoadError(Exception):
    """A worker could not load the function."""

    def __init__(self, failed: Failed) -> None:
        super().__init__(failed.reason)
        self.failed = failed


class Pool:
    """Starts workers on demand and ends those that have been idle for long, except the last.

    Args:
        specification: The function, the limit of workers and how long an idle one is kept.
        make_worker: Makes a worker that calls the given function whenever it can take an invocation.
    """

    def __init__(
        self,
        specification: HostSpecification,
        make_worker: MakeWorker = Worker,
    ) -> None:
        self._specification = specification
        self._make_worker = make_worker
        self._workers: dict[Worker, asyncio.Task[Failed | None]] = {}
        self._starting: set[Worker] = set()
        self._idle: dict[Worker, asyncio.TimerHandle] = {}
        self._queue: deque[asyncio.Future[Worker]] = deque()
        self._calls: set[asyncio.Task[Outcome]] = set()
        self._stopping = False

    async def warm_up(self) -> None:
        """Waits until a worker has loaded the function.

        Raises:
            LoadError: It could not be loaded.
        """
        self._free(await self._take())

    async def invoke(self, invocation: Invocation) -> Outcome:
        """Runs the invocation on a worker of its own; at the limit it waits in the queue for one.

        Cancelling leaves the queue. A call that already runs goes on to its end or its timeout.
        """
        try:
            worker = await self._take()
        except LoadError as error:
            return error.failed
        call = asyncio.create_task(worker.run(invocation))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        return await asyncio.shield(call)

    async def stop(self, grace_seconds: float) -> None:
        """Refuses the queue, gives running calls `grace_seconds` to finish, then ends every worker."""
        self._stopping = True
        while waiter := self._next_waiter():
            waiter.set_exception(LoadError(Failed(503, "the function is stopping")))
        if self._calls:
            await asyncio.wait(self._calls, timeout=grace_seconds)
        lives = list(self._workers.values())
        for life in lives:
            life.cancel()
        await asyncio.gather(*lives, return_exceptions=True)

    async def _take(self) -> Worker:
        """Returns a free worker, of several the one used last: the others then stay idle and are ended."""
        while self._idle:
            worker, reaper = self._idle.popitem()
            reaper.cancel()
            if not worker.is_gone:
                return worker
        waiter: asyncio.Future[Worker] = asyncio.get_running_loop().create_future()
        self._queue.append(waiter)
        self._grow()
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._free(waiter.result())
            raise

    def _grow(self) -> None:
        """Starts one worker per queued call, within the limit."""
        waiting = sum(not waiter.done() for waiter in self._queue)
        room = self._specification.max_workers - len(self._workers)
        for _ in range(min(waiting - len(self._starting), room)):
            self._start()

    def _start(self) -> None:
        worker = self._make_worker(self._specification, self._free)
        life = asyncio.create_task(worker.live())
        life.add_done_callback(lambda ended: self._remove(worker, _why_not_loaded(ended)))
        self._starting.add(worker)
        self._workers[worker] = life

    def _free(self, worker: Worker) -> None:
        """Gives the worker to the first call in the queue, or lets it idle."""
        self._starting.discard(worker)
        waiter = self._next_waiter()
        if waiter is not None:
            waiter.set_result(worker)
        elif worker in self._workers and not self._stopping:
            idle_seconds = self._specification.idle_seconds
            self._idle[worker] = asyncio.get_running_loop().call_later(idle_seconds, self._reap, worker)

    def _reap(self, worker: Worker) -> None:
        if sum(not life.cancelling() for life in self._workers.values()) > 1:
            del self._idle[worker]
            self._workers[worker].cancel()

    def _remove(self, worker: Worker, failed: Failed | None) -> None:
        """Forgets a worker that has ended; one that never loaded fails the first call in the queue.

        If the last worker ended during a call, another is started so that the next call finds a loaded
        function.
        """
        del self._workers[worker]
        self._starting.discard(worker)
        reaper = self._idle.pop(worker, None)
        if reaper is not None:
            reaper.cancel()
        if failed is not None and (waiter := self._next_waiter()):
            waiter.set_exception(LoadError(failed))
        if self._stopping:
            return
        self._grow()
        if failed is None and reaper is None and not self._workers:
            self._start()

    def _next_waiter(self) -> asyncio.Future[Worker] | None:
        while self._queue:
            waiter = self._queue.popleft()
            if not waiter.done():
                return waiter
        return None


def _why_not_loaded(life: asyncio.Task[Failed | None]) -> Failed | None:
    if life.cancelled():
        return None
    if error := life.exception():
        return Failed(502, f"the function's process could not be started: {error}")
    return life.result()
