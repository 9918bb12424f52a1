"""Waits for one of several, and ends tasks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Collection


async def wait_for_first(*waits: Awaitable[object]) -> None:
    """Waits until one of these is over, or until cancelled; then cancels the others. None may fail."""
    waiting = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waiting:
            wait.cancel()


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
