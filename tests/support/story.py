"""Runs what a test tells in an event loop, with a deadline."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

DEADLINE_SECONDS = 60


def story(tell: Callable[[], Awaitable[None]]) -> None:
    """Runs `tell` in an event loop of its own."""

    async def main() -> None:
        await asyncio.wait_for(tell(), DEADLINE_SECONDS)

    asyncio.run(main())
