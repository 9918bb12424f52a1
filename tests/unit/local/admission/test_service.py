"""What Envoy is told about a call."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.admission.accounts import Limit
from centralized_ml_api.local.admission.exchange import UNKNOWN_LIMITS, UNKNOWN_TERMS
from centralized_ml_api.local.admission.service import (
    COUNTING,
    COUNTS_AT_ONCE,
    LIMITS_REMEMBERED,
    TERMS_REMEMBERED,
)
from centralized_ml_api.local.admission.terms import EntryTerms, RouteTerms
from centralized_ml_api.local.admission.turns import WAITING_PER_CALLER, WAITING_PER_ENTRY, Occupancy
from centralized_ml_api.plan.apis import COUNT_TOKENS_PATH
from support.admission_calls import (
    goes_on,
)
from support.asked_service import MESSAGES, ONE, SHARED, World, told

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.local.admission.exchange import Response


def test_a_call_whose_body_decides_nothing_is_admitted_by_its_headers() -> None:
    async def tell(world: World) -> None:
        answer = await world.ask(ONE).answer()
        assert (answer.headers, answer.body) == ({"x-verdict": "go", "x-holds": "yes"}, b"")
        assert world.occupancy == {"ocr": Occupancy(1, 0)}

    told(tell)


def test_terms_are_asked_for_once_and_once_more_when_they_are_forgotten() -> None:
    async def tell(world: World) -> None:
        async def ask(terms: RouteTerms, *, tells_terms: bool) -> Response:
            return await world.ask(terms, {"x": 1}, tells_terms=tells_terms).answer()

        assert await ask(SHARED, tells_terms=False) == UNKNOWN_TERMS
        first = await ask(SHARED, tells_terms=True)
        assert (first.headers["x-verdict"], first.body) == ("go", b'{"model":"org/big","x": 1}')
        assert await ask(SHARED, tells_terms=False) == first
        assert await ask(replace(SHARED, wait_seconds=28), tells_terms=False) == UNKNOWN_TERMS
        for seconds in range(TERMS_REMEMBERED):
            await ask(replace(SHARED, wait_seconds=30 + seconds), tells_terms=True)
        assert await ask(SHARED, tells_terms=False) == UNKNOWN_TERMS

    told(tell)


def test_the_limits_of_teams_are_asked_for_once_for_all_routes() -> None:
    limits = {"red": (Limit("red", "tokens", "minute", 300),)}
    first, second = (RouteTerms({name: EntryTerms()}, 60, {"blue": 1}, limits=limits) for name in ("a", "b"))

    async def tell(world: World) -> None:
        async def ask(terms: RouteTerms, **told: bool) -> Response:
            return await world.ask(terms, {"x": 1}, **told).answer()

        assert await ask(first, tells_terms=False) == UNKNOWN_TERMS
        assert await ask(first, tells_limits=False) == UNKNOWN_LIMITS
        assert await ask(first, tells_terms=False) == UNKNOWN_TERMS, "without their limits they are not known"
        assert goes_on(await ask(first))
        assert goes_on(await ask(second, tells_limits=False))
        assert goes_on(await ask(second, tells_terms=False))
        for number in range(LIMITS_REMEMBERED):
            await ask(replace(first, requests_at_once={"blue": 2 + number}))
        assert await ask(replace(second, wait_seconds=59), tells_limits=False) == UNKNOWN_LIMITS

    told(tell)


def test_the_end_of_a_call_lets_the_next_one_go_on() -> None:
    async def tell(world: World) -> None:
        await world.ask(ONE).answer()
        second = world.ask(ONE)
        await asyncio.sleep(5)
        assert not second.task.done()
        await world.tell_end(1)
        assert goes_on(await second.answer())
        assert world.occupancy == {"ocr": Occupancy(1, 0)}

    told(tell)


def test_the_end_of_another_call_on_the_same_port_is_not_its_end() -> None:
    async def tell(world: World) -> None:
        await world.ask(ONE).answer()
        await world.tell_end(1, address="192.0.2.2")
        assert world.occupancy == {"ocr": Occupancy(1, 0)}

    told(tell)


def test_a_call_that_is_over_before_it_is_asked_about_gets_no_place() -> None:
    # The service was busy with a large body meanwhile, and reads what concerns a call in another order.
    async def tell(world: World) -> None:
        await world.tell_end(1)
        assert await world.ask(ONE).is_over()
        assert world.occupancy == {"ocr": Occupancy(0, 0)}
        await world.ask(ONE).answer()
        assert world.occupancy == {"ocr": Occupancy(1, 0)}

    told(tell)


def test_a_call_that_is_over_while_it_waits_gets_no_place_either() -> None:
    async def tell(world: World) -> None:
        await world.ask(ONE).answer()
        second, third = world.ask(ONE), world.ask(ONE)
        await asyncio.sleep(1)
        await world.tell_end(2, 1)
        assert await second.is_over()
        await third.answer()
        assert world.occupancy == {"ocr": Occupancy(1, 0)}

    told(tell)


def test_a_caller_who_leaves_while_it_waits_gives_its_turn_on() -> None:
    async def tell(world: World) -> None:
        await world.ask(ONE).answer()
        world.ask(ONE)
        third = world.ask(ONE)
        await asyncio.sleep(1)
        world.asked[1].task.cancel()
        await asyncio.sleep(1)
        assert world.occupancy == {"ocr": Occupancy(1, 1)}
        await world.tell_end(1)
        assert goes_on(await third.answer())

    told(tell)


def test_teams_take_turns_and_without_teams_addresses_do() -> None:
    async def tell(world: World) -> None:
        await world.ask(ONE, team="red").answer()
        waiting = [world.ask(ONE, team=team) for team in ("red", "red", "blue")]
        await asyncio.sleep(1)
        await world.tell_end(1)
        assert goes_on(await waiting[2].answer())
        assert not waiting[0].task.done()

    told(tell)


def test_a_turn_that_does_not_come_is_a_503_with_a_pause() -> None:
    async def tell(world: World) -> None:
        await world.ask(ONE).answer()
        status, message, headers = await world.ask(ONE).refusal()
        assert status == 503
        assert message == (
            "overloaded: The model is busy: no turn came up within 29 seconds; try again shortly."
        )
        assert headers == {"retry-after": "2"}
        assert world.occupancy == {"ocr": Occupancy(1, 0)}

    told(tell)


def test_a_team_with_too_many_waiting_is_told_so_at_once() -> None:
    async def tell(world: World) -> None:
        await world.ask(ONE, team="red").answer()
        for _ in range(WAITING_PER_CALLER):
            world.ask(ONE, team="red")
        await asyncio.sleep(1)
        status, message, headers = await world.ask(ONE, team="red").refusal()
        assert (status, headers) == (429, {"retry-after": "1"})
        assert message.startswith("too_many_requests: Your team already has too many requests waiting")

    told(tell)


def test_too_many_waiting_altogether_are_a_503() -> None:
    async def tell(world: World) -> None:
        await world.ask(ONE, team="red").answer()
        for number in range(WAITING_PER_ENTRY):
            world.ask(ONE, team=f"team {number % 20}")
        await asyncio.sleep(1)
        status, message, headers = await world.ask(ONE, team="new").refusal()
        assert (status, headers) == (503, {"retry-after": "2"})
        assert message.startswith("overloaded: ")

    told(tell)


def test_requests_at_once_are_those_of_the_team() -> None:
    async def tell(world: World) -> None:
        terms = RouteTerms({"far": EntryTerms()}, 29, {"red": 1})
        assert goes_on(await world.ask(terms, team="red").answer())
        assert goes_on(await world.ask(terms, team="blue").answer())
        status, *_ = await world.ask(terms, team="red").refusal()
        assert status == 503

    told(tell)


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b'{"n": 4}', 429, "this call alone may need 402 tokens"),
        (b'{"n": "4"}', 400, "'n' and 'best_of' must be whole numbers"),
        (b'{"n": 4, "n": 1}', 400, 'the key "n" twice'),
    ],
)
def test_where_tokens_are_limited_each_image_counts(
    tmp_path: Path, body: bytes, status: int, says: str
) -> None:
    images = EntryTerms(path="/v1/images/generations", answer_tokens=100)
    limited = RouteTerms({"images": images}, 60, limits={"red": (Limit("red", "tokens", "minute", 300),)})

    async def tell(world: World) -> None:
        asked = world.ask(limited, body, team="red")
        found, said, _ = await asked.refusal()
        assert found == status
        assert says in said

    told(tell, tmp_path)


@pytest.mark.parametrize(
    ("places", "most", "held"),
    [
        (None, 10**9, ["yes", "later", "later"]),  # the first one waits for the disk
        (None, 10**4, ["yes", "yes", "yes"]),  # too little is left: a later one may need what is given back
        (9, 10**9, ["yes", "yes", "yes"]),  # somebody may wait for the place
    ],
)
def test_only_ends_of_which_nobody_waits_to_hear_are_told_later(
    tmp_path: Path, places: int | None, most: int, held: list[str]
) -> None:
    entry = EntryTerms(has_tokens=True, answer_tokens=100, places=places)
    limited = RouteTerms({"chat": entry}, 60, limits={"red": (Limit("red", "tokens", "day", most),)})

    async def main() -> None:
        world = World(tmp_path)
        answers = [await world.ask(limited, {"messages": MESSAGES}, team="red").answer() for _ in held]
        assert [answer.headers["x-holds"] for answer in answers] == held

    asyncio.run(main())  # a thread writes, for which no virtual time waits


def test_a_call_that_nothing_limits_has_no_place_to_give_back() -> None:
    async def tell(world: World) -> None:
        await world.ask(SHARED, {"x": 1}).answer()
        assert world.occupancy == {}

    told(tell)


def test_a_count_of_tokens_waits_for_other_counts_alone() -> None:
    entry = EntryTerms(places=1, path=COUNT_TOKENS_PATH)
    answers = RouteTerms({"chat": EntryTerms(places=1)}, 240, {"red": 1})
    counts = RouteTerms({"chat": entry}, 240, {"red": 1})

    async def tell(world: World) -> None:
        await world.ask(answers, team="red").answer()
        for _ in range(COUNTS_AT_ONCE):
            await world.ask(counts, team="red").answer()
        assert world.occupancy["chat"] == Occupancy(1, 0)
        assert world.occupancy[f"chat{COUNTING}"] == Occupancy(COUNTS_AT_ONCE, 0)

    told(tell)
