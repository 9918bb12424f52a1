"""What the end of a call costs where there are thousands of entries, and whom it lets go on there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.admission.turns import NotAwakeError, Turns
from support.turns import World, settle, told

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class CountedName(str):
    """The name of a caller that counts how often it is looked for."""

    __slots__ = ()
    looked_up = 0

    def __hash__(self) -> int:
        CountedName.looked_up += 1
        return super().__hash__()


def look_ups_of_an_end(entries: int) -> int:
    """Returns how often a caller's name is looked for while its call ends beside so many entries."""
    counted = 0

    async def tell(world: World) -> None:
        nonlocal counted
        for number in range(entries):
            await world.turns.take(f"other {number}", f"entry {number}", "other", places=1, at_once=None)
        caller = CountedName("a")
        await world.turns.take("first", "chat", caller, places=1, at_once=1)
        waiting = asyncio.create_task(world.turns.take("second", "embed", caller, places=1, at_once=1))
        await settle()
        before = CountedName.looked_up
        world.turns.give_back("first")
        counted = CountedName.looked_up - before
        await waiting

    told(tell)
    return counted


def test_the_end_of_a_call_looks_only_at_entries_where_its_caller_waits() -> None:
    assert look_ups_of_an_end(entries=300) == look_ups_of_an_end(entries=3)


def test_of_two_entries_where_a_caller_waits_the_one_called_first_by_anybody_comes_first() -> None:
    async def tell(world: World) -> None:
        await world.call("b1", entry="ocr")
        await world.call("b2", entry="embed")
        await world.call("a1", at_once=1)
        assert not await world.call("a2", entry="embed", at_once=1)
        assert not await world.call("a3", entry="ocr", at_once=1)
        await world.end("a1")
        assert world.served == ["b1", "b2", "a1", "a3"]
        await world.end("a3")
        assert world.served[-1] == "a2"

    told(tell)


async def _hang_up(_: Turns, waiting: asyncio.Task[int | None]) -> None:
    waiting.cancel()


async def _turn_away(turns: Turns, _: asyncio.Task[int | None]) -> None:
    turns.turn_away(["sleeper"])


@pytest.mark.parametrize(
    ("leave", "why"),
    [(_hang_up, asyncio.CancelledError), (_turn_away, NotAwakeError)],
    ids=["hangs up", "sleeps"],
)
def test_who_has_left_a_line_and_waits_in_it_again_goes_on(
    leave: Callable[[Turns, asyncio.Task[int | None]], Awaitable[None]], why: type[BaseException]
) -> None:
    async def tell(world: World) -> None:
        turns = world.turns

        async def take(call: str, entry: str, sleeper: str | None = None) -> int | None:
            return await turns.take(call, entry, "a", places=1, at_once=1, sleeper=sleeper)

        await take("first", "chat")
        leaving = asyncio.create_task(take("second", "embed", "sleeper"))
        await settle()
        await leave(turns, leaving)
        with pytest.raises(why):
            await leaving
        turns.let_through(["sleeper"])
        again = asyncio.create_task(take("third", "embed", "sleeper"))
        await settle()
        assert not again.done()
        turns.give_back("first")
        await settle()
        assert again.done()

    told(tell)
