"""Which places a team leaves to the others while they are about, and how a team that floods gives way."""

from __future__ import annotations

import asyncio

import pytest

from centralized_ml_api.local.admission.callers import (
    ABOUT_SECONDS,
    GIVES_WAY_SECONDS,
    LATELY_SECONDS,
    NEWCOMER_ABOUT_SECONDS,
)
from centralized_ml_api.local.admission.turns import LOOK_AGAIN_SECONDS, Turns
from support.turns import World, told
from support.virtual_time import run_in_virtual_time


def test_while_others_are_about_a_team_leaves_them_a_place() -> None:
    async def tell(world: World) -> None:
        await world.call("b1")
        await world.end("b1")
        world.seconds += NEWCOMER_ABOUT_SECONDS - 1
        assert [await world.call(name) for name in ("a1", "a2", "a3", "a4")] == [True, True, True, False]
        assert await world.call("b2"), "the fourth place was kept"

    told(tell, places=4, servers=4)


def test_a_team_alone_gets_every_place_of_servers_that_answer_one_call_each() -> None:
    async def tell(world: World) -> None:
        assert [await world.call(name) for name in ("a1", "a2", "a3", "a4", "a5")] == [True] * 4 + [False]

    told(tell, places=4, servers=4)


def test_a_team_is_about_from_the_end_of_its_last_call_on() -> None:
    async def tell(world: World) -> None:
        await world.call("b1")
        world.seconds += 10 * NEWCOMER_ABOUT_SECONDS
        await world.end("b1")
        world.seconds += NEWCOMER_ABOUT_SECONDS - 1
        assert [await world.call(name) for name in ("a1", "a2")] == [True, False]

    told(tell)


def test_to_wait_for_a_turn_is_no_pause() -> None:
    async def tell(world: World) -> None:
        await world.call("b1")
        await world.call("a1")
        world.seconds += NEWCOMER_ABOUT_SECONDS
        await world.call("a2")
        for _ in range(3):
            await world.end(world.served[-1])
        world.seconds += NEWCOMER_ABOUT_SECONDS
        world.places = 2
        assert [await world.call(name) for name in ("c1", "c2")] == [True, True], "a is gone"

    told(tell, places=1)


@pytest.mark.parametrize(("places", "half"), [(2, 1), (3, 2), (4, 2), (7, 4)])
def test_while_others_call_a_team_leaves_them_half_of_the_places(places: int, half: int) -> None:
    async def tell(world: World) -> None:
        await world.call("b1")
        await world.end("b1")
        world.seconds += NEWCOMER_ABOUT_SECONDS - 1
        took = [await world.call(f"a{number}") for number in range(places)]
        assert took == [True] * half + [False] * (places - half), "that share a server's processor"
        assert await world.call("b2")
        world.seconds += NEWCOMER_ABOUT_SECONDS
        assert not await world.call("a more"), "a call under way is one, however long it takes"

    told(tell, places=places)


async def call_often(world: World, team: str, *, pause: float, count: int = 5) -> None:
    """Lets a team make calls of no length, one after the other."""
    for number in range(count):
        world.seconds += pause if number else 0
        await world.call(f"{team} often {number}")
        await world.end(f"{team} often {number}")


@pytest.mark.parametrize(("pause", "about"), [(1.0, ABOUT_SECONDS), (20.0, 60.0), (90.0, 270.0)])
def test_others_are_about_for_three_of_their_pauses(pause: float, about: float) -> None:
    async def tell(world: World) -> None:
        await call_often(world, "b", pause=pause)
        world.seconds += about - 0.5
        assert [await world.call(name) for name in ("a1", "a2")] == [True, False]
        world.seconds += 0.5
        await world.call("a3")
        assert world.served[-1] == "a2", "now it has both places"

    told(tell)


async def flood(world: World, *, others: str = "bcd", seconds: float = LATELY_SECONDS) -> None:
    """Lets team a have a call under way all the time while the others make short ones, a second apart."""
    begun = 0
    await world.call(f"a flood {begun}")
    for second in range(int(seconds)):
        other = f"{others[second % len(others)]} steady {second}"
        assert await world.call(other)
        world.seconds += 0.1
        await world.end(other)
        world.seconds += 0.9
        await world.end(f"a flood {begun}")
        begun += 1
        assert await world.call(f"a flood {begun}"), "nobody else computes"
    await world.end(f"a flood {begun}")


def test_who_floods_gets_a_place_only_while_none_of_the_others_computes() -> None:
    async def tell(world: World) -> None:
        await flood(world)
        assert await world.call("b1")
        assert not await world.call("a1")
        assert await world.call("c1"), "no others are meant"
        await world.end("b1")
        assert not world.tasks["a1"].done()
        await world.end("c1")
        assert world.served[-1] == "a1"
        assert world.slots["a1"] == 3, "the last slot, which is read after the others"
        assert not await world.call("a2"), "one at a time"
        assert await world.call("d1")

    told(tell, places=4)


def test_who_floods_may_use_each_server_that_the_others_leave_idle() -> None:
    async def tell(world: World) -> None:
        await flood(world)
        assert await world.call("b1")
        assert [await world.call(name) for name in ("a1", "a2")] == [True, False]

    told(tell, places=8, servers=2)


def test_who_floods_comes_after_the_others_at_a_single_place_too() -> None:
    async def tell(world: World) -> None:
        world.places = 2
        await flood(world)
        world.places = 1
        await world.call("b1")
        for name in ("a1", "c1", "b2"):
            assert not await world.call(name)
        for _ in range(3):
            await world.end(world.served[-1])
        assert world.served[-4:] == ["b1", "c1", "b2", "a1"]

    told(tell)


def test_nobody_gives_way_for_longer_than_seconds() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        turns = Turns(loop.time)

        async def take(call: str) -> None:
            await turns.take(call, "chat", call[0], places=2, at_once=None)

        await take("a1")
        await asyncio.sleep(LATELY_SECONDS)
        turns.give_back("a1")
        await take("b endless")
        began = loop.time()
        await take("a2")
        assert loop.time() - began <= GIVES_WAY_SECONDS + LOOK_AGAIN_SECONDS
        assert loop.time() > began

    run_in_virtual_time(main())


def test_after_a_flood_a_team_alone_gets_every_place_within_seconds() -> None:
    async def tell(world: World) -> None:
        await flood(world)
        world.seconds += ABOUT_SECONDS
        assert [await world.call(name) for name in ("a1", "a2", "a3", "a4")] == [True] * 4

    told(tell, places=4)


def test_a_flood_is_forgotten() -> None:
    async def tell(world: World) -> None:
        await flood(world)
        world.seconds += 4 * LATELY_SECONDS
        for call in ("b later", "c later", "d later", "a later"):
            assert await world.call(call)
            world.seconds += 1
            await world.end(call)
        assert await world.call("b1")
        assert await world.call("a1")

    told(tell)


def test_a_team_that_has_been_away_for_long_keeps_nobody_waiting() -> None:
    async def tell(world: World) -> None:
        await world.call("b1")
        await world.end("b1")
        await world.call("a1")
        assert not await world.call("a2")
        world.seconds += NEWCOMER_ABOUT_SECONDS - 1
        assert not await world.call("a3")
        world.seconds += 1
        await world.end("a1")
        assert world.served == ["b1", "a1", "a2", "a3"]

    told(tell)


@pytest.mark.parametrize("places", [2, 4])
def test_a_place_that_was_left_to_others_is_given_out_once_they_are_gone(places: int) -> None:
    async def main() -> None:
        turns = Turns(asyncio.get_running_loop().time)

        async def take(call: str) -> None:
            await turns.take(call, "chat", call[0], places=places, at_once=None, servers=1)

        await take("b1")
        turns.give_back("b1")
        for number in range((places + 1) // 2):
            await take(f"a{number}")
        await asyncio.wait_for(take("a more"), NEWCOMER_ABOUT_SECONDS + LOOK_AGAIN_SECONDS)
        assert asyncio.get_running_loop().time() >= NEWCOMER_ABOUT_SECONDS

    run_in_virtual_time(main())


def test_a_team_with_a_call_under_way_counts_as_being_about_however_long_it_takes() -> None:
    async def tell(world: World) -> None:
        await world.call("b1")
        world.seconds += 10 * NEWCOMER_ABOUT_SECONDS
        assert [await world.call(name) for name in ("a1", "a2", "a3")] == [True, True, False]

    told(tell, places=3)
