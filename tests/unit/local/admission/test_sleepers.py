"""Calls of models that sleep: they wait until the supervisor says that it is awake, or are told when."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from centralized_ml_api.local.admission.service import COUNTING
from centralized_ml_api.local.admission.sleepers import LONGEST_SECONDS_BETWEEN_REPORTS
from centralized_ml_api.local.admission.terms import LLAMA_CPP, EntryTerms, RouteTerms
from centralized_ml_api.local.admission.turns import WAITING_PER_CALLER
from support.admission_calls import goes_on, read_refusal
from support.asked_sleepers import ONE, World, refusal, settle, told


def test_calls_wait_until_the_model_is_awake_and_then_all_go_on() -> None:
    async def tell(world: World) -> None:
        calls = [world.call() for _ in range(3)]
        await settle()
        world.say("asleep")
        assert world.counts == (0, 3, 0, 0)
        world.say("waking", 2.0)
        await asyncio.sleep(20)
        assert not any(call.done() for call in calls)
        world.say("ready")
        assert world.counts == (3, 0, 3, 0)
        for call in calls:
            assert goes_on(await call)

    told(tell)


def test_an_entry_that_the_supervisor_has_not_spoken_of_sleeps() -> None:
    async def tell(world: World) -> None:
        world.say("ready", name="other")
        call = world.call()
        await asyncio.sleep(5)
        assert not call.done()

    told(tell)


def test_calls_that_wait_for_a_place_do_not_go_on_once_the_model_is_to_sleep() -> None:
    async def tell(world: World) -> None:
        world.say("ready", places=1)
        await world.call(ONE)
        second = world.call(ONE)
        await settle()
        assert world.counts == (1, 1, 1, 0)
        world.say("asleep", places=1)
        world.end(1)
        await settle()
        assert (world.counts, second.done()) == ((0, 1, 1, 0), False)
        world.say("ready", places=1)
        await second
        assert world.counts == (1, 0, 2, 0)

    told(tell)


def test_calls_that_wait_have_the_places_of_the_server_that_wakes() -> None:
    """It was reloaded with fewer slots, and nobody has called since then."""

    async def tell(world: World) -> None:
        before = EntryTerms(places=4, slots=4, context=2048, sleeps=True, body_rules=LLAMA_CPP)
        body = json.dumps({"messages": [{"role": "user", "content": "Hello"}]}).encode()
        calls = [world.call(RouteTerms({"ocr": before}, wait_seconds=29), body) for _ in range(4)]
        await settle()
        world.say("asleep", places=4)
        world.say("ready", places=2)
        assert world.counts == (2, 2, 2, 0)
        slots = {json.loads((await call).body)["id_slot"] for call in calls[:2]}
        assert slots == {0, 1}, "a call for a slot that there is not would wait for good"
        world.end(1)
        world.end(2)
        await settle()
        assert {json.loads((await call).body)["id_slot"] for call in calls[2:]} == {0, 1}

    told(tell)


def test_a_call_that_comes_by_an_older_route_changes_no_places() -> None:
    async def tell(world: World) -> None:
        world.say("ready", places=1)
        calls = [world.call(RouteTerms({"ocr": EntryTerms(places=3, sleeps=True)}, 29)) for _ in range(2)]
        await settle()
        assert [call.done() for call in calls] == [True, False]
        world.say("ready", places=2)
        assert world.counts == (2, 0, 2, 0)

    told(tell)


def test_counts_of_tokens_wait_too_and_are_calls_of_the_same_model() -> None:
    async def tell(world: World) -> None:
        counting = EntryTerms(places=1, sleeps=True, path="/v1/messages/count_tokens")
        world.say("asleep")
        call = world.call(RouteTerms({"ocr": counting}, wait_seconds=29))
        await settle()
        assert world.counts == (0, 1, 0, 0)
        world.say("ready")
        await call
        assert (world.counts, list(world.turns.occupancy())) == ((1, 0, 1, 0), [f"ocr{COUNTING}"])

    told(tell)


def test_a_caller_is_told_at_once_when_the_model_is_known_to_take_longer() -> None:
    async def tell(world: World) -> None:
        world.say("asleep", 40.2)
        assert await refusal(world.call()) == (
            503,
            "model_waking",
            "The model was asleep and is waking; try again in 41 seconds.",
            "41",
            "asleep",
        )
        assert world.counts == (0, 0, 0, 1), "the supervisor hears of it"
        world.say("waking", 40.2)
        await asyncio.sleep(10)
        assert (await refusal(world.call()))[3:] == ("31", "waking")
        await asyncio.sleep(2)
        late = world.call()  # it has 28.2 of its 29 seconds to wait
        await asyncio.sleep(1)
        assert not late.done()

    told(tell)


def test_outside_the_hours_of_the_event_a_caller_is_told_when_they_begin() -> None:
    async def tell(world: World) -> None:
        world.say("asleep")
        held = world.call()
        await settle()
        world.say("closed", 3600.0)
        assert (await refusal(held))[3:] == ("3600", "asleep"), "it is not held until its time is up"
        await asyncio.sleep(600)
        assert await refusal(world.call()) == (
            503,
            "model_waking",
            "The model sleeps outside the hours of the event; try again in 3000 seconds.",
            "3000",
            "asleep",
        )
        await asyncio.sleep(2950)
        assert (await refusal(world.call()))[3:] == ("50", "asleep"), "a client can wait so long"
        await asyncio.sleep(30)
        soon = world.call()
        await asyncio.sleep(10)
        assert not soon.done(), "they begin while it can wait"
        world.say("ready")
        await soon
        world.say("closed")
        assert (await refusal(world.call()))[3:] == ("86400", "asleep"), "no hours follow"

    told(tell)


def test_a_caller_whose_time_is_up_is_told_when_to_come_back() -> None:
    async def tell(world: World) -> None:
        world.say("asleep")
        assert (await refusal(world.call()))[3:] == ("2", "asleep"), "nobody knows how long it takes"
        world.say("waking", 10)
        assert (await refusal(world.call()))[3:] == ("2", "waking"), "it takes longer than ever"
        world.say("waking", 29.0)
        call = world.call()
        await asyncio.sleep(1)
        world.say("waking", 60.0)
        assert (await refusal(call))[3:] == ("32", "waking")
        assert world.counts[3] == 3

    told(tell)


def test_callers_are_told_at_once_when_the_model_did_not_wake() -> None:
    async def tell(world: World) -> None:
        waits = world.call()
        await settle()
        world.say("failed", 10)
        message = "The model was asleep and did not start; it is tried again in 10 seconds."
        assert await refusal(waits) == (503, "model_not_ready", message, "10", "failed")
        await asyncio.sleep(4)
        assert (await refusal(world.call()))[3:] == ("6", "failed")
        world.say("asleep", 2)
        again = world.call()
        await asyncio.sleep(1)
        assert not again.done()

    told(tell)


def test_calls_of_an_entry_that_may_not_sleep_any_more_go_on_as_those_of_every_other() -> None:
    async def tell(world: World) -> None:
        first, second = world.call(ONE), world.call(ONE)
        world.say("waking", 10, places=1)
        await settle()
        assert world.counts == (0, 2, 0, 0)
        world.sleepers.obey({"number": 9, "entries": {}})
        assert goes_on(await asyncio.wait_for(first, 1))
        assert not second.done(), "it has one place"
        world.end(1)
        await asyncio.wait_for(second, 1)
        assert world.sleepers.report() == {"number": 9, "calls": {}}

    told(tell)


def test_too_many_that_wait_for_a_model_that_wakes_are_told_so() -> None:
    async def tell(world: World) -> None:
        world.say("waking", 5)
        for _ in range(WAITING_PER_CALLER):
            world.call()
        await settle()
        assert (await refusal(world.call()))[1:] == (
            "model_waking",
            "The model was asleep and is waking; try again in 5 seconds.",
            "5",
            "waking",
        )
        world.say("ready")
        assert world.counts == (WAITING_PER_CALLER, 0, WAITING_PER_CALLER, 1)

    told(tell)


def test_a_busy_model_that_is_awake_refuses_as_every_other_does() -> None:
    async def tell(world: World) -> None:
        world.say("ready", places=1)
        await world.call(ONE)
        assert read_refusal(await world.call(ONE))[1]["code"] == "overloaded"
        assert world.counts[3] == 0

    told(tell)


class Wire:
    """The supervisor's side of the connection."""

    def __init__(self) -> None:
        self.reader = asyncio.StreamReader()
        self.written: list[dict[str, Any]] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.written.append(json.loads(data))

    async def drain(self) -> None:
        await asyncio.sleep(0)

    def close(self) -> None:
        self.closed = True

    def send(self, number: int, state: str) -> None:
        line = {"number": number, "entries": {"ocr": {"state": state, "ready_in": None}}}
        self.reader.feed_data(json.dumps(line).encode() + b"\n")


def test_the_supervisor_is_answered_each_line_and_told_of_calls_at_intervals() -> None:
    async def tell(world: World) -> None:
        wire: Any = Wire()
        serving = asyncio.create_task(world.sleepers.serve(wire.reader, wire))
        wire.send(7, "asleep")
        await settle()
        nothing = {"under_way": 0, "waiting": 0, "taken": 0, "refused": 0}
        assert wire.written == [{"number": 7, "calls": {"ocr": nothing}}]
        for _ in range(5):
            world.call()
        await settle()
        assert len(wire.written) == 1
        await asyncio.sleep(2 * LONGEST_SECONDS_BETWEEN_REPORTS)
        assert wire.written[1:] == [{"number": 7, "calls": {"ocr": {**nothing, "waiting": 5}}}]
        wire.send(8, "ready")
        await asyncio.sleep(2 * LONGEST_SECONDS_BETWEEN_REPORTS)
        assert wire.written[-1] == {"number": 8, "calls": {"ocr": {**nothing, "under_way": 5, "taken": 5}}}
        wire.reader.feed_eof()
        await serving
        assert wire.closed

    told(tell)


@pytest.mark.parametrize("line", [b"nonsense\n", b'{"number": 1}\n', b"[]\n"])
def test_a_line_that_is_none_ends_the_connection(line: bytes) -> None:
    async def tell(world: World) -> None:
        wire: Any = Wire()
        wire.reader.feed_data(line)
        await world.sleepers.serve(wire.reader, wire)
        assert wire.closed

    told(tell)
