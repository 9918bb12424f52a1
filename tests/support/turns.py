"""Calls that take turns at a model, under a clock that a test sets."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from centralized_ml_api.local.admission.prompts import Prompt
from centralized_ml_api.local.admission.turns import Turns
from support.virtual_time import run_in_virtual_time

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

NOTICES_SECONDS = 1.0
SHORT = Prompt(tokens=10, takes_slot=True, text="short")
LONG = Prompt(tokens=1000, is_long=True, takes_slot=True, text="long " * 800)


class World:
    """Turns under a clock that the test sets, and the calls in the order in which they got their place."""

    def __init__(self, *, places: int | None = 2, servers: int = 1) -> None:
        self.seconds = 0.0
        self.turns = Turns(lambda: self.seconds)
        self.places = places
        self.servers = servers
        self.served: list[str] = []
        self.slots: dict[str, int | None] = {}
        self.tasks: dict[str, asyncio.Task[None] | asyncio.Task[int | None]] = {}

    async def call(
        self, name: str, *, entry: str = "chat", at_once: int | None = None, prompt: Prompt = SHORT
    ) -> bool:
        """Sends a call whose name starts with its team's; returns whether it has a place."""

        async def take() -> None:
            self.slots[name] = await self.turns.take(
                name,
                entry,
                name[0],
                places=self.places,
                at_once=at_once,
                servers=self.servers,
                prompt=prompt,
                notices_seconds=NOTICES_SECONDS,
            )
            self.served.append(name)

        self.tasks[name] = asyncio.create_task(take())
        await settle()
        return name in self.served

    async def end(self, name: str) -> None:
        assert self.turns.give_back(name)
        await settle()

    async def hang_up(self, name: str) -> None:
        self.tasks[name].cancel()
        await settle()
        assert self.tasks[name].cancelled()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def told(tell: Callable[[World], Awaitable[None]], *, places: int | None = 2, servers: int = 1) -> None:
    async def main() -> None:
        world = World(places=places, servers=servers)
        await tell(world)
        for task in world.tasks.values():
            task.cancel()

    run_in_virtual_time(main())
