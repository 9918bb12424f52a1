"""A worker of a function's host without a process: tests decide when it has loaded, answers and ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from centralized_ml_api.local.lambda_host.runtime_api import Returned
from centralized_ml_api.local.lambda_host.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from centralized_ml_api.local.lambda_host.runtime_api import Failed, Invocation, Outcome
    from centralized_ml_api.local.lambda_host.server import HostSpecification

DONE = Returned(b"{}")


class FakeWorker(Worker):
    """A worker without a process: a test decides when it has loaded, answers and ends."""

    def __init__(self, _specification: HostSpecification, freed: Callable[[Worker], None]) -> None:
        self._freed = freed
        self.end: asyncio.Future[Failed | None] = asyncio.get_running_loop().create_future()
        self.calls: list[Invocation] = []
        self.process_ended = False

    @property
    def is_gone(self) -> bool:
        """As the test says."""
        return self.process_ended

    async def live(self) -> Failed | None:
        """Lives until a test ends it, or the pool cancels it."""
        return await self.end

    async def run(self, invocation: Invocation) -> Outcome:
        """Runs until a test answers."""
        self.calls.append(invocation)
        return await invocation.outcome

    def load(self) -> None:
        """Has loaded the function, or answered: can take an invocation."""
        self._freed(self)

    def answer(self, outcome: Outcome = DONE) -> None:
        """Answers the running invocation and asks for the next."""
        self.calls[-1].settle(outcome)
        self._freed(self)

    @property
    def ended(self) -> bool:
        """Whether the pool ended it, or a test did."""
        return self.end.done()


async def settled() -> None:
    """Lets every task run as far as it can."""
    for _ in range(10):
        await asyncio.sleep(0)
