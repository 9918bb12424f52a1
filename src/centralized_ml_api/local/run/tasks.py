"""Ends tasks, and waits until they have ended."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection


async def run_until_one_ends(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Waits until one of the tasks ends, or until cancelled; then ends all. Raises what that one raised."""
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def cancel(task: asyncio.Task[Any]) -> None:
    """Ends a task."""
    task.cancel()
    await asyncio.wait({task})
