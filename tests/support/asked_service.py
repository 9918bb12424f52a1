"""The admission service under a virtual clock, and the calls about which Envoy asks it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.admission.account_book import AccountBook
from centralized_ml_api.local.admission.accountant import Accountant
from centralized_ml_api.local.admission.exchange import OVER
from centralized_ml_api.local.admission.service import (
    AdmissionService,
)
from centralized_ml_api.local.admission.sleepers import Sleepers
from centralized_ml_api.local.admission.terms import EntryTerms, RouteTerms
from centralized_ml_api.local.admission.turns import Occupancy, Turns
from centralized_ml_api.local.usage.store import UsageStore
from support.admission_calls import (
    build_question,
    identify,
    read_refusal,
    render_end,
    wait_for_answer,
)
from support.virtual_time import run_in_virtual_time

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from centralized_ml_api.local.admission.exchange import Response

NOW = 1_780_315_200.0
ONE = RouteTerms({"ocr": EntryTerms(places=1)}, wait_seconds=29)
SHARED = RouteTerms({"big": EntryTerms(model="org/big")}, wait_seconds=29)

CHAT = RouteTerms(
    {"chat": EntryTerms(places=4, body_rules="llama.cpp", slots=4, context=2048, max_output_tokens=64)},
    wait_seconds=240,
)
PATH = RouteTerms({"chat": EntryTerms(), "far": EntryTerms()}, wait_seconds=240, chooses=True)
MESSAGES = [{"role": "user", "content": "hi"}]


class Asked:
    """One call about which Envoy asks."""

    def __init__(self, world: World, terms: RouteTerms, number: int, body: Any, **more: Any) -> None:
        self.number = number
        question = build_question(terms, number, body, **more)
        self.task = asyncio.create_task(wait_for_answer(world.service, question))

    async def answer(self) -> Response:
        return await asyncio.wait_for(asyncio.shield(self.task), 1000)

    async def refusal(self) -> tuple[int, str, dict[str, str]]:
        """The status, the message and the headers of a refusal."""
        status, error, headers = read_refusal(await self.answer())
        return status, f"{error['code']}: {error['message']}", headers

    async def is_over(self) -> bool:
        return await self.answer() == OVER


NOWHERE = Path(os.devnull)
"""Nothing can be written there: without limits, nothing is."""


class World:
    """The service under a virtual clock."""

    def __init__(self, folder: Path) -> None:
        self.turns = Turns(asyncio.get_running_loop().time)
        self.sleepers = Sleepers(self.turns, asyncio.get_running_loop().time)
        accountant = Accountant(AccountBook(folder / "accounts.db"), lambda: NOW)
        usage = UsageStore(folder / "usage.db")
        self.service = AdmissionService(self.turns, self.sleepers, accountant, usage)
        self.asked: list[Asked] = []

    def ask(self, terms: RouteTerms, body: Any = b"", **more: Any) -> Asked:
        """Asks about a call."""
        asked = Asked(self, terms, len(self.asked) + 1, body, **more)
        self.asked.append(asked)
        return asked

    async def tell_end(
        self, *numbers: int, address: str = "192.0.2.1", is_cut_short: bool = False, status: int = 200
    ) -> None:
        """Tells as Envoy does that these calls are over."""
        flags = "DC" if is_cut_short else "-"
        ends = (
            render_end(identify(number, address), RESPONSE_CODE=status, RESPONSE_FLAGS=flags)
            for number in numbers
        )
        self.service.hear(b"".join(ends))
        await asyncio.sleep(0)

    @property
    def occupancy(self) -> dict[str, Occupancy]:
        return self.turns.occupancy()


def told(tell: Callable[[World], Awaitable[None]], folder: Path = NOWHERE) -> None:
    async def main() -> None:
        world = World(folder)
        await tell(world)
        for asked in world.asked:
            asked.task.cancel()

    run_in_virtual_time(main())
