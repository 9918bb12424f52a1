"""Who gets the places at a model, in which order, and who gives them back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from centralized_ml_api.local.admission.callers import NEWCOMER_ABOUT_SECONDS
from centralized_ml_api.local.admission.ended_calls import ENDS_REMEMBERED
from centralized_ml_api.local.admission.line import CALLERS_REMEMBERED
from centralized_ml_api.local.admission.prompts import Prompt
from centralized_ml_api.local.admission.turns import (
    WAITING_PER_CALLER,
    WAITING_PER_ENTRY,
    CallOverError,
    LineFullError,
    Occupancy,
)
from support.turns import LONG, NOTICES_SECONDS, SHORT, World, settle, told

if TYPE_CHECKING:
    from random import Random


def test_a_team_alone_gets_every_place_and_then_waits() -> None:
    async def tell(world: World) -> None:
        assert [await world.call(name) for name in ("a1", "a2", "a3")] == [True, True, False]
        assert world.turns.occupancy() == {"chat": Occupancy(under_way=2, waiting=1)}
        assert world.turns.places() == {"chat": 2}
        await world.end("a1")
        assert world.served == ["a1", "a2", "a3"]

    told(tell)


def test_a_call_whose_caller_left_has_its_place_until_the_server_has_noticed() -> None:
    async def tell(world: World) -> None:
        await world.call("a1")
        world.turns.end("a1", lingers=True)
        assert not await world.call("a2")
        assert world.turns.occupancy() == {"chat": Occupancy(under_way=1, waiting=1)}
        await asyncio.sleep(NOTICES_SECONDS)
        await settle()
        assert world.served == ["a1", "a2"]
        world.turns.end("a2")
        assert await world.call("a3"), "of a call that was answered, it is free at once"

    told(tell, places=1)


def test_the_team_with_the_fewest_calls_under_way_comes_first() -> None:
    async def tell(world: World) -> None:
        for name in ("a1", "a2", "b1", "b2", "a3", "c1"):
            await world.call(name)
        assert world.served == ["a1", "a2", "b1"]
        await world.end("a1")
        assert world.served[-1] == "c1", "though others have waited for longer"
        await world.end("b1")
        assert world.served[-1] == "b2"

    told(tell, places=3)


def test_teams_take_turns_at_a_single_place() -> None:
    async def tell(world: World) -> None:
        for name in ("a1", "a2", "a3", "b1", "b2", "c1"):
            await world.call(name)
        for _ in range(5):
            await world.end(world.served[-1])
        assert world.served == ["a1", "b1", "c1", "a2", "b2", "a3"]

    told(tell, places=1)


def test_the_calls_of_one_team_keep_their_order() -> None:
    async def tell(world: World) -> None:
        for number in range(5):
            await world.call(f"a{number}")
        for _ in range(4):
            await world.end(world.served[-1])
        assert world.served == [f"a{number}" for number in range(5)]

    told(tell, places=1)


def test_who_hangs_up_while_waiting_leaves_the_line() -> None:
    async def tell(world: World) -> None:
        for name in ("a1", "a2", "a3"):
            await world.call(name)
        await world.hang_up("a2")
        assert world.turns.occupancy()["chat"] == Occupancy(under_way=1, waiting=1)
        await world.end("a1")
        assert world.served == ["a1", "a3"]

    told(tell, places=1)


def test_who_hangs_up_in_the_moment_of_its_turn_gives_the_place_on() -> None:
    async def tell(world: World) -> None:
        for name in ("a1", "a2", "a3"):
            await world.call(name)
        world.turns.give_back("a1")  # a2 has its turn, but does not know yet
        await world.hang_up("a2")
        assert world.served == ["a1", "a3"]
        assert world.turns.occupancy()["chat"] == Occupancy(under_way=1, waiting=0)

    told(tell, places=1)


def test_a_call_that_hung_up_a_moment_before_the_turn_is_skipped() -> None:
    async def tell(world: World) -> None:
        for name in ("a1", "a2", "a3"):
            await world.call(name)
        world.tasks["a2"].cancel()
        world.turns.give_back("a1")
        await settle()
        assert world.served == ["a1", "a3"]

    told(tell, places=1)


def test_a_team_alone_may_have_every_place_for_long_prompts() -> None:
    async def tell(world: World) -> None:
        assert [await world.call(name, prompt=LONG) for name in ("a1", "a2", "a3")] == [True, True, True]
        assert world.slots == {"a1": 0, "a2": 1, "a3": 2}

    told(tell, places=3)


def test_while_others_are_about_one_long_prompt_is_read_at_a_time() -> None:
    async def tell(world: World) -> None:
        await world.call("b1")
        await world.end("b1")
        assert await world.call("a1", prompt=LONG)
        assert world.slots["a1"] == 3, "the last one"
        assert not await world.call("a2", prompt=LONG)
        assert not await world.call("b2", prompt=LONG)
        assert await world.call("b3"), "a short call passes the long one of its team"
        assert await world.call("a3")
        await world.end("a1")
        assert world.served == ["b1", "a1", "b3", "a3", "b2"]
        await world.end("b2")
        assert world.served[-1] == "a2"

    told(tell, places=4)


def test_a_long_prompt_is_not_read_where_a_team_has_several_until_they_are_over() -> None:
    async def tell(world: World) -> None:
        for name in ("a1", "a2"):
            await world.call(name, prompt=LONG)
        assert not await world.call("b1", prompt=LONG)
        await world.end("a1")
        assert not world.tasks["b1"].done()
        await world.end("a2")
        assert world.served == ["a1", "a2", "b1"]

    told(tell, places=4)


def test_each_server_reads_a_long_prompt() -> None:
    async def tell(world: World) -> None:
        await world.call("b1")
        assert [await world.call(name, prompt=LONG) for name in ("a1", "a2", "a3")] == [True, True, False]

    told(tell, places=8, servers=2)


def test_who_had_as_much_read_beside_a_long_prompt_gets_one_place_until_it_is_over() -> None:
    async def tell(world: World) -> None:
        half = Prompt(tokens=LONG.tokens // 2)
        await world.call("a1", prompt=LONG)
        assert [await world.call(name, prompt=half) for name in ("b1", "b2", "b3")] == [True, True, False]
        assert await world.call("c1"), "others are not meant"
        await world.end("b1")
        assert "b3" not in world.served
        await world.end("b2")
        assert world.served[-1] == "b3", "one place it always gets"
        assert not await world.call("b4")
        await world.end("a1")
        assert world.served[-1] == "b4"

    told(tell, places=8)


def test_what_is_read_counts_anew_beside_the_next_long_prompt() -> None:
    async def tell(world: World) -> None:
        as_much = Prompt(tokens=LONG.tokens)
        await world.call("a1", prompt=LONG)
        await world.call("b1", prompt=as_much)
        await world.end("a1")
        await world.call("a2", prompt=LONG)
        assert await world.call("b2", prompt=as_much)
        assert not await world.call("b3")

    told(tell, places=8)


@given(
    calls=st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([SHORT, LONG])), max_size=30),
    places=st.integers(1, 5),
    order=st.randoms(use_true_random=False),
)
@settings(deadline=None, max_examples=50)
def test_nobody_starves(calls: list[tuple[str, Prompt]], places: int, order: Random) -> None:
    async def tell(world: World) -> None:
        for number, (team, prompt) in enumerate(calls):
            await world.call(f"{team}{number}", prompt=prompt)
        for count in range(len(calls)):
            under_way = world.served[count:]
            assert under_way, "somebody waits though nobody has a place"
            ended = order.choice(under_way)
            await world.end(ended)
            world.served.remove(ended)
            world.served.insert(count, ended)
        assert world.turns.occupancy().get("chat", Occupancy(0, 0)) == Occupancy(0, 0)

    told(tell, places=places)


def test_requests_at_once_hold_over_all_entries() -> None:
    async def tell(world: World) -> None:
        assert await world.call("a1", entry="chat", at_once=2)
        assert await world.call("a2", entry="embed", at_once=2)
        assert not await world.call("a3", entry="ocr", at_once=2)
        assert await world.call("b1", entry="ocr")
        await world.end("a1")
        assert world.served[-1] == "a3", "the end of a call at another entry lets it go on"

    told(tell, places=None)


def test_a_limit_that_was_lifted_holds_no_more() -> None:
    async def tell(world: World) -> None:
        await world.call("a1", at_once=1)
        assert not await world.call("a2", at_once=1)
        await world.call("a3")
        assert sorted(world.served) == ["a1", "a2", "a3"]

    told(tell, places=None)


def test_more_places_serve_who_waits_with_the_next_call() -> None:
    async def tell(world: World) -> None:
        await world.call("a1")
        assert not await world.call("a2")
        world.places = 3
        assert await world.call("a3")
        assert sorted(world.served) == ["a1", "a2", "a3"]

    told(tell, places=1)


@pytest.mark.parametrize("prompt", [SHORT, LONG], ids=["short", "long"])
def test_who_waited_while_a_server_with_more_slots_came_gets_none_that_its_own_lacks(prompt: Prompt) -> None:
    async def tell(world: World) -> None:
        assert await world.call("a1")
        assert await world.call("a2")
        assert not await world.call("a3", prompt=prompt)
        world.places = 8
        assert await world.call("b1")
        assert world.slots["b1"] == 2
        assert "a3" in world.served
        assert world.slots["a3"] in {None, 0, 1}

    told(tell)


def test_who_waited_while_a_server_with_fewer_slots_came_gets_none_that_it_lacks() -> None:
    async def tell(world: World) -> None:
        for number in range(4):
            assert await world.call(f"a{number}")
        assert not await world.call("a4")
        world.places = 2
        assert not await world.call("b1")
        for number in range(4):
            await world.end(f"a{number}")
        assert {world.slots["a4"], world.slots["b1"]} == {0, 1}

    told(tell, places=4)


def test_only_the_last_ends_of_unknown_calls_are_remembered() -> None:
    async def tell(world: World) -> None:
        names = [f"a{number}" for number in range(ENDS_REMEMBERED + 1)]
        for name in names:
            world.turns.end(name)
        assert await world.call(names[0]), "this end is forgotten"
        for name in (names[1], names[-1]):
            with pytest.raises(CallOverError):
                await world.turns.take(name, "chat", "a", places=world.places, at_once=None)
        assert await world.call(names[1]), "an end counts once"

    told(tell)


def test_a_call_that_is_unknown_gives_nothing_back() -> None:
    async def tell(world: World) -> None:
        assert not world.turns.give_back("a1")
        await world.call("a1")
        await world.end("a1")
        assert not world.turns.give_back("a1"), "once"

    told(tell)


def test_a_team_may_not_let_any_number_of_calls_wait() -> None:
    async def tell(world: World) -> None:
        for number in range(1 + WAITING_PER_CALLER):
            await world.call(f"a{number}")
        with pytest.raises(LineFullError) as full:
            await world.turns.take("one more", "chat", "a", places=1, at_once=None)
        assert full.value.own
        assert not await world.call("b1"), "another team waits for its turn"
        await world.end("a0")
        assert world.served == ["a0", "b1"]

    told(tell, places=1)


def test_all_teams_together_may_not_either() -> None:
    async def tell(world: World) -> None:
        for number in range(1 + WAITING_PER_ENTRY):
            world.tasks[str(number)] = asyncio.create_task(
                world.turns.take(number, "chat", f"team {number % 20}", places=1, at_once=None)
            )
        await settle()
        with pytest.raises(LineFullError) as full:
            await world.turns.take("one more", "chat", "new", places=1, at_once=None)
        assert not full.value.own

    told(tell)


def test_callers_who_left_are_forgotten() -> None:
    async def tell(world: World) -> None:
        for number in range(CALLERS_REMEMBERED):
            await world.turns.take(number, "chat", f"192.0.2.{number}", places=None, at_once=None)
            world.turns.give_back(number)
        world.seconds += NEWCOMER_ABOUT_SECONDS
        await world.turns.take("last", "chat", "203.0.113.1", places=None, at_once=None)
        assert len(world.turns._lines["chat"].callers) == 1  # noqa: SLF001  # memory, which nobody sees

    told(tell)
