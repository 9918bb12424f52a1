"""The admission service and models that sleep, under a virtual clock."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

from centralized_ml_api.api.error_shape import LONGEST_WAIT_SECONDS
from centralized_ml_api.local.admission.account_book import AccountBook
from centralized_ml_api.local.admission.accountant import Accountant
from centralized_ml_api.local.admission.service import AdmissionService
from centralized_ml_api.local.admission.sleepers import Sleepers
from centralized_ml_api.local.admission.terms import EntryTerms, RouteTerms
from centralized_ml_api.local.admission.turns import Turns
from centralized_ml_api.local.usage.store import UsageStore
from support.admission_calls import build_question, identify, read_refusal, wait_for_answer
from support.virtual_time import run_in_virtual_time

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from centralized_ml_api.local.admission.exchange import Response

ANY = RouteTerms({"ocr": EntryTerms(sleeps=True)}, wait_seconds=29)
ONE = RouteTerms({"ocr": EntryTerms(places=1, sleeps=True)}, wait_seconds=29)

NOWHERE = Path(os.devnull)
"""Nothing can be written there: without limits, nothing is."""


class World:
    """The service under a virtual clock, and the supervisor's words to it."""

    def __init__(self) -> None:
        self.turns = Turns(asyncio.get_running_loop().time)
        self.sleepers = Sleepers(self.turns, asyncio.get_running_loop().time)
        accountant = Accountant(AccountBook(NOWHERE / "accounts.db"), lambda: 0.0)
        usage = UsageStore(NOWHERE / "usage.db")
        self.service = AdmissionService(self.turns, self.sleepers, accountant, usage)
        self.calls: list[asyncio.Task[Response]] = []
        self.number = 0

    def call(self, terms: RouteTerms = ANY, body: bytes = b"") -> asyncio.Task[Response]:
        """A call; its answer."""
        question = build_question(terms, len(self.calls) + 1, body)
        self.calls.append(asyncio.create_task(wait_for_answer(self.service, question)))
        return self.calls[-1]

    def end(self, number: int) -> None:
        """The call of that number is over."""
        self.turns.end(identify(number))

    def say(
        self,
        state: str,
        ready_in: float | None = None,
        name: str = "ocr",
        places: int | None = None,
        servers: int = 1,
    ) -> None:
        self.number += 1
        size = {} if places is None else {"places": places, "servers": servers}
        entry = {"state": state, "ready_in": ready_in, **size}
        self.sleepers.obey({"number": self.number, "entries": {name: entry}})

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """How many calls are under way, wait, were taken, were refused."""
        counts = self.sleepers.report()["calls"]["ocr"]
        return counts["under_way"], counts["waiting"], counts["taken"], counts["refused"]


def told(tell: Callable[[World], Awaitable[None]]) -> None:
    async def main() -> None:
        world = World()
        await tell(world)
        for call in world.calls:
            call.cancel()

    run_in_virtual_time(main())


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def refusal(call: asyncio.Task[Response]) -> tuple[int, str, str, str, str]:
    """Status, code, message, `Retry-After` and `x-model-state` of a refusal."""
    status, error, headers = read_refusal(await call)
    stops = "outside the hours" in error["message"] and int(headers["retry-after"]) > LONGEST_WAIT_SECONDS
    assert headers.get("x-should-retry") == ("false" if stops else None), "clients would hang"
    return status, error["code"], error["message"], headers["retry-after"], headers["x-model-state"]
