"""The workers of one function: as many as there are calls at once, up to a limit; then calls wait in line."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from centralized_ml_api.local.lambda_host.invocation import Failed, Invocation, Outcome
from centralized_ml_api.local.lambda_host.worker import Worker

if TYPE_CHECKING:
    from centralized_ml_api.local.lambda_host.specification import HostSpecification


class LoadError(Exception):
    """A worker could not load the function."""

    def __init__(self, failed: Failed) -> None:
        super().__init__(failed.reason)
        self.failed = failed


class Pool:
    """Starts workers on demand, keeps one, ends those that were idle for long."""

    def __init__(self, specification: HostSpecification) -> None:
        self._specification = specification
        self._workers: dict[Worker, asyncio.Task[Failed | None]] = {}
        self._starting: set[Worker] = set()
        self._idle: dict[Worker, asyncio.TimerHandle] = {}
        self._line: deque[asyncio.Future[Worker]] = deque()
        self._calls: set[asyncio.Task[Outcome]] = set()
        self._stopping = False

    async def warm_up(self) -> None:
        """Returns when a worker has loaded the function.

        Raises:
            LoadError: it could not.
        """
        self._free(await self._take())

    async def invoke(self, invocation: Invocation) -> Outcome:
        """Runs the invocation on a worker of its own, waiting in line for one where the limit is reached.

        Cancelling leaves the line; a call that already runs goes on to its end or its timeout.
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
        """Lets running calls end for so long, then ends every worker."""
        self._stopping = True
        while place := self._first_in_line():
            place.set_exception(LoadError(Failed(503, "the function is being stopped")))
        if self._calls:
            await asyncio.wait(self._calls, timeout=grace_seconds)
        lives = list(self._workers.values())
        for life in lives:
            life.cancel()
        await asyncio.gather(*lives, return_exceptions=True)

    async def _take(self) -> Worker:
        """A free worker, the one used last if there are several: the others may then grow old."""
        if self._idle:
            worker, reaper = self._idle.popitem()
            reaper.cancel()
            return worker
        place: asyncio.Future[Worker] = asyncio.get_running_loop().create_future()
        self._line.append(place)
        self._grow()
        try:
            return await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled() and place.exception() is None:
                self._free(place.result())
            raise

    def _grow(self) -> None:
        """Starts as many workers as calls wait in line, within the limit."""
        waiting = sum(not place.done() for place in self._line)
        room = self._specification.max_workers - len(self._workers)
        for _ in range(min(waiting - len(self._starting), room)):
            self._start()

    def _start(self) -> None:
        worker = Worker(self._specification, freed=self._free)
        life = asyncio.create_task(worker.live())
        life.add_done_callback(lambda ended: self._lose(worker, _why_not_loaded(ended)))
        self._starting.add(worker)
        self._workers[worker] = life

    def _free(self, worker: Worker) -> None:
        """The worker can take a call: the first in line gets it."""
        self._starting.discard(worker)
        place = self._first_in_line()
        if place is not None:
            place.set_result(worker)
        elif worker in self._workers and not self._stopping:
            idle_seconds = self._specification.idle_seconds
            self._idle[worker] = asyncio.get_running_loop().call_later(idle_seconds, self._reap, worker)

    def _reap(self, worker: Worker) -> None:
        if len(self._workers) > 1:
            del self._idle[worker]
            self._workers[worker].cancel()

    def _lose(self, worker: Worker, failed: Failed | None) -> None:
        """The worker has ended. One that never loaded gives the first in line its reason.

        The last one is replaced when it ended in a call: the next call is to find a loaded function.
        """
        del self._workers[worker]
        self._starting.discard(worker)
        reaper = self._idle.pop(worker, None)
        if reaper is not None:
            reaper.cancel()
        if failed is not None and (place := self._first_in_line()):
            place.set_exception(LoadError(failed))
        if self._stopping:
            return
        self._grow()
        if failed is None and reaper is None and not self._workers:
            self._start()

    def _first_in_line(self) -> asyncio.Future[Worker] | None:
        while self._line:
            place = self._line.popleft()
            if not place.done():
                return place
        return None


def _why_not_loaded(life: asyncio.Task[Failed | None]) -> Failed | None:
    if life.cancelled():
        return None
    if error := life.exception():
        return Failed(502, f"the function's process could not be started: {error}")
    return life.result()
