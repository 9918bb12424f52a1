"""What Envoy is told about a call."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.local.admission.account_book import AccountBook
from centralized_ml_api.local.admission.accountant import Accountant
from centralized_ml_api.local.admission.accounts import Limit
from centralized_ml_api.local.admission.body_rules import LLAMA_CPP_NOTICES_SECONDS, build_passed_on
from centralized_ml_api.local.admission.exchange import OVER, UNKNOWN_LIMITS, UNKNOWN_TERMS
from centralized_ml_api.local.admission.json_body import BodyError, read_json_object
from centralized_ml_api.local.admission.service import (
    COUNTING,
    COUNTS_AT_ONCE,
    LIMITS_REMEMBERED,
    TERMS_REMEMBERED,
    AdmissionService,
)
from centralized_ml_api.local.admission.sleepers import Sleepers
from centralized_ml_api.local.admission.terms import EntryTerms, RouteTerms
from centralized_ml_api.local.admission.turns import WAITING_PER_CALLER, WAITING_PER_ENTRY, Occupancy, Turns
from centralized_ml_api.local.usage.store import UsageStore
from centralized_ml_api.plan.apis import COUNT_TOKENS_PATH
from support.admission_calls import (
    build_question,
    goes_on,
    identify,
    read_chosen,
    read_refusal,
    render_end,
    wait_for_answer,
)
from support.virtual_time import run_in_virtual_time

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from centralized_ml_api.local.admission.exchange import Response

NOW = 1_780_315_200.0
ONE = RouteTerms({"ocr": EntryTerms(places=1)}, wait_seconds=29)
SHARED = RouteTerms({"big": EntryTerms(model="org/big")}, wait_seconds=29)
CHAT = RouteTerms(
    {"chat": EntryTerms(places=4, body_rules="llama.cpp", slots=4, context=2048, max_output_tokens=64)},
    wait_seconds=240,
)
PATH = RouteTerms({"chat": EntryTerms(), "far": EntryTerms()}, wait_seconds=240, chooses=True)
MESSAGES = [{"role": "user", "content": "hi"}]


class Asked:
    """One call about which Envoy asks."""

    def __init__(self, world: World, terms: RouteTerms, number: int, body: Any, **more: Any) -> None:
        self.number = number
        question = build_question(terms, number, body, **more)
        self.task = asyncio.create_task(wait_for_answer(world.service, question))

    async def answer(self) -> Response:
        return await asyncio.wait_for(asyncio.shield(self.task), 1000)

    async def refusal(self) -> tuple[int, str, dict[str, str]]:
        """The status, the message and the headers of a refusal."""
        status, error, headers = read_refusal(await self.answer())
        return status, f"{error['code']}: {error['message']}", headers

    async def is_over(self) -> bool:
        return await self.answer() == OVER


NOWHERE = Path(os.devnull)
"""Nothing can be written there: without limits, nothing is."""


class World:
    """The service under a virtual clock."""

    def __init__(self, folder: Path) -> None:
        self.turns = Turns(asyncio.get_running_loop().time)
        self.sleepers = Sleepers(self.turns, asyncio.get_running_loop().time)
        accountant = Accountant(AccountBook(folder / "accounts.db"), lambda: NOW)
        usage = UsageStore(folder / "usage.db")
        self.service = AdmissionService(self.turns, self.sleepers, accountant, usage)
        self.asked: list[Asked] = []

    def ask(self, terms: RouteTerms, body: Any = b"", **more: Any) -> Asked:
        """Asks about a call."""
        asked = Asked(self, terms, len(self.asked) + 1, body, **more)
        self.asked.append(asked)
        return asked

    async def tell_end(
        self, *numbers: int, address: str = "192.0.2.1", is_cut_short: bool = False, status: int = 200
    ) -> None:
        """Tells as Envoy does that these calls are over."""
        flags = "DC" if is_cut_short else "-"
        ends = (
            render_end(identify(number, address), RESPONSE_CODE=status, RESPONSE_FLAGS=flags)
            for number in numbers
        )
        self.service.hear(b"".join(ends))
        await asyncio.sleep(0)

    @property
    def occupancy(self) -> dict[str, Occupancy]:
        return self.turns.occupancy()


def told(tell: Callable[[World], Awaitable[None]], folder: Path = NOWHERE) -> None:
    async def main() -> None:
        world = World(folder)
        await tell(world)
        for asked in world.asked:
            asked.task.cancel()

    run_in_virtual_time(main())


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


def test_the_name_of_the_model_is_written_into_the_body() -> None:
    async def tell(world: World) -> None:
        asked = world.ask(SHARED, b'{"model": "anything", "x": 1.0}')
        answer = await asked.answer()
        assert answer.body == b'{"model": "org/big", "x": 1.0}'
        assert answer.headers == {"x-verdict": "go", "x-body": "yes"}, "it holds nothing"

    told(tell)


def test_a_body_within_the_limits_says_the_same_and_has_no_key_twice() -> None:
    async def tell(world: World) -> None:
        written = json.dumps(MESSAGES)
        twice = f'{{"max_tokens": -1, "messages": {written},    "max_tokens": 64}}'
        asked = world.ask(CHAT, twice.encode())
        body = (await asked.answer()).body
        assert (
            body.decode()
            == f'{{"id_slot":0,"max_tokens":64,"messages":{json.dumps(MESSAGES, separators=(",", ":"))}}}'
        )
        assert world.occupancy == {"chat": Occupancy(1, 0)}

    told(tell)


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


def test_the_path_says_which_bodies_llama_cpp_gets() -> None:
    for path, prompt in (
        ("/v1/chat/completions", "messages"),
        ("/v1/messages", "messages"),
        (COUNT_TOKENS_PATH, "messages"),
        ("/v1/responses", "input"),
        ("/v1/completions", "prompt"),
    ):
        entry = EntryTerms(body_rules="llama.cpp", slots=4, context=2048, path=path)
        with pytest.raises(BodyError, match=f"'{prompt}' must be a"):
            build_passed_on(read_json_object(b"{}"), entry)


def test_an_entry_may_keep_prompts_apart() -> None:
    entry = EntryTerms(body_rules="llama.cpp", slots=4, context=2048, share_prompts=False)
    body = read_json_object(json.dumps({"messages": MESSAGES}).encode())
    assert json.loads(build_passed_on(body, entry) or b"") == {"messages": MESSAGES, "cache_prompt": False}


def test_tools_are_required_of_no_model_that_has_none() -> None:
    entry = EntryTerms(body_rules="llama.cpp", slots=4, context=2048, takes_tools=False)
    tools = [{"type": "function", "function": {"name": "f"}}]
    asked = {"messages": MESSAGES, "tools": tools, "tool_choice": "required"}
    with pytest.raises(BodyError, match="This model cannot call tools"):
        build_passed_on(read_json_object(json.dumps(asked).encode()), entry)
    may = read_json_object(json.dumps({**asked, "tool_choice": "auto"}).encode())
    assert build_passed_on(may, entry) is not None
    able = replace(entry, takes_tools=True)
    assert build_passed_on(read_json_object(json.dumps(asked).encode()), able) is not None


def test_a_body_that_no_context_could_hold_is_refused_unread() -> None:
    entry = EntryTerms(body_rules="llama.cpp", slots=4, context=2048, body_limit_bytes=100)
    terms = RouteTerms({"chat": entry}, wait_seconds=29)

    async def tell(world: World) -> None:
        for body, status in ((b"{" * 101, 413), (b"{" * 100, 400)):
            asked = world.ask(terms, body)
            found, message, _ = await asked.refusal()
            assert found == status
            assert ("limit of 100 bytes" in message) is (status == 413)

    told(tell)


def test_a_body_over_the_limits_is_cut_to_them() -> None:
    async def tell(world: World) -> None:
        asked = world.ask(CHAT, {"messages": MESSAGES, "max_tokens": 5000})
        body = (await asked.answer()).body
        assert json.loads(body) == {"id_slot": 0, "messages": MESSAGES, "max_tokens": 64}

    told(tell)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "invalid_body: The body is not valid JSON: it ends too early, at line 1, column 2."),
        ({"messages": []}, "invalid_body: 'messages' must be a list with at least one message."),
    ],
)
def test_a_body_that_is_not_taken_is_a_400_and_takes_no_place(body: Any, message: str) -> None:
    async def tell(world: World) -> None:
        asked = world.ask(CHAT, body)
        assert await asked.refusal() == (400, message, {})
        assert world.occupancy == {}

    told(tell)


def test_a_missing_body_is_a_400_where_there_must_be_one() -> None:
    async def tell(world: World) -> None:
        refused = await world.ask(CHAT).refusal()
        assert refused == (400, "invalid_body: The body is empty: send a JSON object.", {})

    told(tell)


def test_a_body_that_envoy_could_not_read_chooses_its_route_after_all() -> None:
    async def tell(world: World) -> None:
        asked = world.ask(PATH, {"model": "chat", "stream": True, "seed": 2**63, "messages": MESSAGES})
        assert read_chosen(await asked.answer()) == {"model": "chat", "stream": True}
        assert world.occupancy == {}, "it has its turn on that route"

    told(tell)


def test_such_a_body_may_name_its_entry_by_an_alias() -> None:
    async def tell(world: World) -> None:
        asked = world.ask(
            replace(PATH, aliases={"org/gpt": "chat"}), {"model": "org/gpt", "messages": MESSAGES}
        )
        assert read_chosen(await asked.answer())["model"] == "chat"

    told(tell)


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/v1/chat/completions", {"messages": MESSAGES}),
        ("/v1/messages", {"messages": MESSAGES}),
        (COUNT_TOKENS_PATH, {"messages": MESSAGES}),
        ("/v1/responses", {"input": "Hi"}),
        ("/v1/completions", {"prompt": "Hi"}),
    ],
)
def test_llama_cpp_reads_the_name_of_the_entry_on_every_path(path: str, asked: dict[str, Any]) -> None:
    entry = EntryTerms(model="chat", body_rules="llama.cpp", slots=4, context=2048, path=path)
    body = json.dumps({"model": "gpt-4o-mini", **asked}).encode()
    passed_on = build_passed_on(read_json_object(body), entry)
    assert json.loads(passed_on or b"")["model"] == "chat"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"model": "nope"}, 404, "model_not_found"),
        ({"model": 3}, 400, "model_missing"),
        ({"messages": []}, 400, "model_missing"),
        (b'{"model": "chat",}', 400, "invalid_body"),
    ],
)
def test_a_body_that_names_no_model_is_refused_for_that(body: Any, status: int, code: str) -> None:
    async def tell(world: World) -> None:
        asked = world.ask(PATH, body)
        refused, message, _ = await asked.refusal()
        assert (refused, message.partition(":")[0]) == (status, code)

    told(tell)


FORM = "multipart/form-data; boundary=b"
HEARS = EntryTerms(path="/v1/audio/transcriptions")


def build_form(**texts: str) -> bytes:
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'
        for name, text in texts.items()
    ]
    return "".join([*parts, "--b--\r\n"]).encode()


@pytest.mark.parametrize(
    ("model", "stream"), [("whisper", False), ("an alias", True), ("no model\nat all", False)]
)
def test_a_form_chooses_its_route_by_its_own_field(model: str, stream: bool) -> None:  # noqa: FBT001
    async def choose(world: World) -> None:
        terms = RouteTerms({"whisper": HEARS}, wait_seconds=240, chooses=True)
        asked = world.ask(terms, build_form(model=model, stream=str(stream).lower()), content_type=FORM)
        assert read_chosen(await asked.answer()) == {"model": model, "stream": stream}

    told(choose)


def test_a_form_gets_the_servers_own_model_and_says_what_it_lacks() -> None:
    async def tell(world: World) -> None:
        own = RouteTerms({"whisper": replace(HEARS, model="org/own")}, wait_seconds=240)
        asked = world.ask(own, build_form(model="whisper", language="en"), content_type=FORM)
        passed_on = (await asked.answer()).body
        assert passed_on == build_form(model="org/own", language="en")
        chooses = RouteTerms({"whisper": HEARS}, wait_seconds=240, chooses=True)
        for body, content_type, said in (
            (build_form(), FORM, 'The form must have a field "model"'),
            (b"{}", "application/json", "multipart/form-data"),
        ):
            asked = world.ask(chooses, body, content_type=content_type)
            status, message, _ = await asked.refusal()
            assert (status, said in message) == (400, True)

    told(tell)


@pytest.mark.parametrize(
    ("entry", "body", "content_type"),
    [
        (EntryTerms(), b'{"model": "gpt-4o", "stream": true, "seed": 18446744073709551616}', ""),
        (EntryTerms(), b'{"stream": true}', ""),
        (HEARS, build_form(stream="true"), FORM),
        (HEARS, build_form(model="whisper-1", stream="true"), FORM),
    ],
)
def test_where_the_path_names_the_entry_the_body_need_not(
    entry: EntryTerms, body: bytes, content_type: str
) -> None:
    async def tell(world: World) -> None:
        terms = RouteTerms({"own": entry}, wait_seconds=240, chooses=True, named_by_path=True)
        asked = world.ask(terms, body, content_type=content_type)
        assert read_chosen(await asked.answer()) == {"model": "own", "stream": True}

    told(tell)
