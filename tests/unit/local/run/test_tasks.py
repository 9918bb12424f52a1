"""Whoever waits for the first of several leaves none of the others behind."""

from __future__ import annotations

import asyncio

import pytest

from centralized_ml_api.local.run.tasks import wait_for_first


class Waits:
    """Some that never end, and what became of them."""

    def __init__(self) -> None:
        self.begun, self.cancelled = asyncio.Semaphore(0), 0

    async def forever(self) -> None:
        self.begun.release()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise


def test_the_others_are_cancelled_once_one_is_over() -> None:
    waits = Waits()

    async def main() -> None:
        await wait_for_first(waits.forever(), asyncio.sleep(0), waits.forever())
        await asyncio.sleep(0)
        assert waits.cancelled == 2

    asyncio.run(main())


def test_all_are_cancelled_with_whoever_waits() -> None:
    waits = Waits()

    async def main() -> None:
        waiting = asyncio.create_task(wait_for_first(waits.forever(), waits.forever()))
        await waits.begun.acquire()
        await waits.begun.acquire()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await asyncio.sleep(0)
        assert waits.cancelled == 2

    asyncio.run(main())
