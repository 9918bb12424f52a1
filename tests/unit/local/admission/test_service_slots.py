"""Which slot of llama.cpp a prompt is to be read in, and who waits for a long one."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from centralized_ml_api.local.admission.body_rules import LLAMA_CPP_NOTICES_SECONDS
from centralized_ml_api.local.admission.terms import RouteTerms
from centralized_ml_api.local.admission.turns import Occupancy
from support.asked_service import CHAT, MESSAGES, World, told


def test_beside_others_a_long_prompt_is_read_in_the_last_slot() -> None:
    async def tell(world: World) -> None:
        long = {"messages": [{"role": "user", "content": "word " * 200}]}

        async def get_slot(team: str, body: Any) -> int | None:
            asked = world.ask(CHAT, body, team=team)
            passed_on = (await asked.answer()).body
            await world.tell_end(asked.number)
            document = json.loads(passed_on)
            slot: int | None = document.pop("id_slot", None)
            assert document == body
            return slot

        assert await get_slot("red", long) == 0, "a team alone may use any slot"
        assert await get_slot("blue", {"messages": MESSAGES}) == 1
        assert await get_slot("red", long) == 0, "it is still in its slot"
        long["messages"] = [{"role": "user", "content": "other " * 200}]
        assert await get_slot("red", long) == 3
        assert await get_slot("blue", {"messages": MESSAGES}) == 1

    told(tell)


def test_the_prompt_of_a_team_stays_in_its_slot_beside_a_team_that_calls_all_the_time() -> None:
    async def tell(world: World) -> None:
        async def ask(team: str, content: str) -> int:
            asked = world.ask(CHAT, {"messages": [{"role": "user", "content": content}]}, team=team)
            slot: int = json.loads((await asked.answer()).body)["id_slot"]
            await world.tell_end(asked.number)
            return slot

        kept = await ask("red", "Say hello.")
        taken = {
            await ask("blue", f"{number} {word}") for number in range(9) for word in ("Poem?", "a" * 900)
        }
        assert kept not in taken
        assert await ask("red", "Say hello.") == kept

    told(tell)


@pytest.mark.parametrize(
    "more",
    [{"n": 2}, {"path": "/v1/messages"}, {"servers": 2}, {"slots": 1}],
    ids=["several answers", "Anthropic's", "two servers", "one slot"],
)
def test_the_server_chooses_the_slot_where_nobody_else_can(more: dict[str, Any]) -> None:
    document = {"messages": MESSAGES, "max_tokens": 4, **({"n": more["n"]} if "n" in more else {})}
    slots, servers = more.get("slots", 4), more.get("servers", 1)
    entry = replace(
        CHAT.entries["chat"],
        slots=slots,
        places=slots * servers,
        path=more.get("path", "/v1/chat/completions"),
    )

    async def tell(world: World) -> None:
        for team in ("red", "blue"):
            asked = world.ask(RouteTerms({"chat": entry}, wait_seconds=240), document, team=team)
            assert "id_slot" not in json.loads((await asked.answer()).body)
            await world.tell_end(asked.number)

    told(tell)


@pytest.mark.parametrize(
    ("is_cut_short", "status"),
    [(True, 200), (False, 429), (False, 503)],
    ids=["hung up", "refused", "failed"],
)
def test_a_long_prompt_that_was_not_answered_is_long_when_it_comes_again(
    *, is_cut_short: bool, status: int
) -> None:
    async def tell(world: World) -> None:
        await world.ask(CHAT, {"messages": MESSAGES}, team="blue").answer()
        for _ in range(2):
            asked = world.ask(CHAT, {"messages": [{"role": "user", "content": "word " * 200}]}, team="red")
            passed_on = (await asked.answer()).body
            assert json.loads(passed_on)["id_slot"] == 3
            await world.tell_end(asked.number, is_cut_short=is_cut_short, status=status)

    told(tell)


def test_beside_others_a_second_long_prompt_waits_and_a_short_one_does_not() -> None:
    async def tell(world: World) -> None:
        first, second, short = (
            world.ask(CHAT, {"messages": [{"role": "user", "content": f"{word} " * 200}]}, team=team)
            if word
            else world.ask(CHAT, {"messages": MESSAGES}, team=team)
            for team, word in (("red", "one"), ("blue", "two"), ("blue", ""))
        )
        await first.answer()
        await short.answer()
        assert world.occupancy == {"chat": Occupancy(under_way=2, waiting=1)}
        await world.tell_end(first.number)
        await second.answer()

    told(tell)


def test_llama_cpp_gets_the_place_of_a_caller_who_left_once_it_has_noticed() -> None:
    async def tell(world: World) -> None:
        calls = [world.ask(CHAT, {"messages": MESSAGES}) for _ in range(5)]
        for asked in calls[:4]:
            await asked.answer()
        await world.tell_end(1, is_cut_short=True)
        assert world.occupancy["chat"] == Occupancy(under_way=4, waiting=1)
        begun = asyncio.get_running_loop().time()
        await calls[4].answer()
        assert asyncio.get_running_loop().time() - begun == LLAMA_CPP_NOTICES_SECONDS

    told(tell)
