"""Who gets the places at a model, in which order, and who gives them back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from centralized_ml_api.local.admission.callers import (
    ABOUT_SECONDS,
    GIVES_WAY_SECONDS,
    LATELY_SECONDS,
    NEWCOMER_ABOUT_SECONDS,
)
from centralized_ml_api.local.admission.ended_calls import ENDS_REMEMBERED
from centralized_ml_api.local.admission.line import CALLERS_REMEMBERED
from centralized_ml_api.local.admission.prompts import Prompt
from centralized_ml_api.local.admission.turns import (
    LOOK_AGAIN_SECONDS,
    WAITING_PER_CALLER,
    WAITING_PER_ENTRY,
    CallOverError,
    LineFullError,
    Occupancy,
    Turns,
)
from support.virtual_time import VirtualTimeLoop, run_in_virtual_time

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from random import Random

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


def test_a_team_alone_gets_every_place_and_then_waits() -> None:
    async def tell(world: World) -> None:
        assert [await world.call(name) for name in ("a1", "a2", "a3")] == [True, True, False]
        assert world.turns.occupancy() == {"chat": Occupancy(under_way=2, waiting=1)}
        assert world.turns.places() == {"chat": 2}
        await world.end("a1")
        assert world.served == ["a1", "a2", "a3"]

    told(tell)


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


class EveryOrder(RuleBasedStateMachine):
    """Calls that come, end and hang up in any order: never too many, never a place that nobody may have.

    Time passes in whole seconds: so whether a place may be given out now has just been looked at.
    """

    def __init__(self) -> None:
        super().__init__()
        self.loop = VirtualTimeLoop()
        self.turns = Turns(self.loop.time)
        self.tasks: dict[int, asyncio.Task[int | None]] = {}
        self.callers: dict[int, str] = {}
        self.came: dict[int, float] = {}
        self.was_served: dict[str, float] = {}
        self.long: set[int] = set()
        self.long_under_way: set[int] = set()
        self.count = 0

    @initialize(places=st.integers(1, 4), at_once=st.none() | st.integers(1, 3))
    def decide(self, places: int, at_once: int | None) -> None:
        self.places, self.at_once = places, at_once

    def run(self) -> None:
        self.loop.run_until_complete(settle())

    @rule(seconds=st.integers(1, 30))
    def pass_time(self, seconds: int) -> None:
        self.loop.run_until_complete(asyncio.sleep(seconds))
        self.run()

    @rule(caller=st.sampled_from("abc"), prompt=st.sampled_from([SHORT, LONG]))
    def come(self, caller: str, prompt: Prompt) -> None:
        self.count += 1
        taking = self.turns.take(
            self.count, "chat", caller, places=self.places, at_once=self.at_once, prompt=prompt
        )
        if prompt.is_long:
            self.long.add(self.count)
        self.tasks[self.count] = self.loop.create_task(taking)
        self.callers[self.count], self.came[self.count] = caller, self.loop.time()
        self.run()

    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        if under_way := self.under_way():
            call = data.draw(st.sampled_from(under_way))
            self.was_served[self.callers[call]] = self.loop.time()
            assert self.loop.run_until_complete(self.give_back(call))
            del self.tasks[call]
            self.run()

    async def give_back(self, call: int) -> bool:
        """In the loop, as the server does: it may set a timer."""
        return self.turns.give_back(call)

    @rule(data=st.data())
    def hang_up(self, data: st.DataObject) -> None:
        if waiting := self.waiting():
            call = data.draw(st.sampled_from(waiting))
            self.tasks.pop(call).cancel()
            self.run()

    def under_way(self) -> list[int]:
        return [call for call, task in self.tasks.items() if task.done()]

    def waiting(self) -> list[int]:
        return [call for call, task in self.tasks.items() if not task.done()]

    @invariant()
    def all_is_right(self) -> None:
        if not hasattr(self, "places"):
            return
        under_way, waiting = self.under_way(), self.waiting()
        assert len(under_way) <= self.places
        held = [self.callers[call] for call in under_way]
        for caller in "abc":
            assert self.at_once is None or held.count(caller) <= self.at_once
        assert self.turns.occupancy().get("chat", Occupancy(0, 0)) == Occupancy(len(under_way), len(waiting))
        slots = [self.tasks[call].result() for call in under_way if call not in self.long]
        assert len(set(slots)) == len(slots) or self.places == 1, "each short call has a slot of its own"
        long_under_way = self.long.intersection(under_way)
        if long_under_way - self.long_under_way and len(set(self.callers.values())) > 1:
            assert len(long_under_way) == 1, "beside others, a long prompt is read alone"
        self.long_under_way = long_under_way
        if len(under_way) < self.places:
            assert not [call for call in waiting if self.may_go_on(call, held, len(under_way))], (
                "a place is idle, and somebody waits who may have it"
            )

    def may_go_on(self, call: int, held: list[str], total: int) -> bool:
        """Returns whether a call that waits ought to have the place that is idle."""
        caller, now = self.callers[call], self.loop.time()
        had = held.count(caller)
        if (self.at_once is not None and had >= self.at_once) or (call in self.long and self.long_under_way):
            return False
        presence = self.turns._lines["chat"].find_presence(now)  # noqa: SLF001  # who else is about
        if not presence.has_others(caller):
            return True
        since = max(self.came[call], self.was_served.get(caller, 0.0))
        gives_way = caller in presence.giving_way and total > 0
        assert not gives_way or had or now - since <= GIVES_WAY_SECONDS, "it gives way for too long"
        return not gives_way and had < (self.places + 1) // 2

    def teardown(self) -> None:
        for task in self.tasks.values():
            task.cancel()
        self.run()
        self.loop.close()


EveryOrder.TestCase.settings = settings(
    max_examples=30, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestEveryOrder = EveryOrder.TestCase
