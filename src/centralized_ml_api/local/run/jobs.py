"""The jobs of `mlapi up`: answers that take minutes, in its own process and a folder of the state folder."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from typing import TYPE_CHECKING

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.envoy.job_listener import JOBS_SOCKET
from centralized_ml_api.local.gateway import Door
from centralized_ml_api.local.jobs.book import JobBook
from centralized_ml_api.local.jobs.call import UnsentError, call_gateway
from centralized_ml_api.local.jobs.runner import JobRunner
from centralized_ml_api.local.jobs.store import JobStore
from centralized_ml_api.local.machine.ports import bind_loopback
from centralized_ml_api.local.status import JobCounts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from datetime import datetime
    from pathlib import Path

    from centralized_ml_api.local.jobs.types import Answered, Asked
    from centralized_ml_api.local.machine.clock import Clock
    from centralized_ml_api.local.machine.state_folder import StateFolder

SWEEP_SECONDS = 60.0
"""How often what nobody can want any more is removed."""


class Jobs:
    """Takes jobs from the gateway: on loopback, from the start on, with a token of this run.

    Args:
        state: The state folder.
        clock: Tells when jobs come and expire.
        talk: Says something to people.
    """

    def __init__(self, state: StateFolder, clock: Clock, talk: Callable[[str], None]) -> None:
        self.socket = bind_loopback()
        self.door = Door(self.socket.getsockname()[1], secrets.token_urlsafe(32), "/jobs")
        self.book = JobBook(JobStore(state.path), clock=clock)
        self.runner = JobRunner(self.book, self._call, clock=clock)
        self._gateway = state.gateway / JOBS_SOCKET
        self._clock, self._talk = clock, talk
        self._runs_any, self._is_open, self._opening = False, False, asyncio.Lock()
        self._publish: Callable[[], Awaitable[None]]

    async def load(self) -> None:
        """Takes over what an earlier run left; says what of it is lost, since its files are damaged.

        Raises:
            StartError: The folder cannot be read.
        """
        try:
            await self.book.load()
        except OSError as error:
            folder = self.book.store.folder
            raise StartError(
                f"the jobs in {folder} cannot be read: {error.strerror or error}",
                fix="give this user access to the folder, or remove it with all jobs in it",
            ) from error
        if lost := self.book.store.unreadable:
            self._talk(f"Jobs of an earlier run could not be read and are lost: {', '.join(lost)}")

    def runs_any(self) -> bool:
        """Returns whether a call was ever to be made: the gateway has routes for them from then on."""
        return self._runs_any

    @contextlib.asynccontextmanager
    async def _call(
        self, asked: Asked, request: Path
    ) -> AsyncIterator[tuple[Answered, AsyncIterator[bytes]]]:
        """Makes a call, the first one once the gateway has routes for it."""
        async with self._opening:
            if not self._is_open:
                self._runs_any = True
                try:
                    await self._publish()
                except StartError as error:
                    raise UnsentError from error
                self._is_open = True
        async with call_gateway(self._gateway, asked, request) as answer:
            yield answer

    async def run(self, ends: Callable[[], datetime | None], publish: Callable[[], Awaitable[None]]) -> None:
        """Makes the calls, and removes what has expired, until cancelled.

        Args:
            ends: Returns when the event ends.
            publish: Tells the gateway what it serves, and that it `runs_any`; raises StartError.
        """
        self._publish = publish
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.runner.run())
                group.create_task(self._sweep(ends))
        finally:
            await self._forget_expired(ends())  # with the event, if that has ended

    async def _sweep(self, ends: Callable[[], datetime | None]) -> None:
        while True:
            await self._forget_expired(ends())
            await self._clock.sleep(SWEEP_SECONDS)

    async def _forget_expired(self, ends: datetime | None) -> None:
        with contextlib.suppress(OSError):  # it is tried again
            await self.book.forget_expired(ends)

    def count(self) -> JobCounts:
        """Returns how many have no answer yet."""
        return JobCounts(self.book.count("queued"), self.book.count("running"))
