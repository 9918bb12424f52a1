"""What the service reads in bodies, and what a model server gets of them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from centralized_ml_api.local.admission.body_rules import build_passed_on
from centralized_ml_api.local.admission.json_body import BodyError, read_json_object
from centralized_ml_api.local.admission.terms import EntryTerms, RouteTerms
from centralized_ml_api.local.admission.turns import Occupancy
from centralized_ml_api.plan.apis import COUNT_TOKENS_PATH
from support.admission_calls import (
    read_chosen,
)
from support.asked_service import CHAT, MESSAGES, PATH, SHARED, World, told


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
            (build_form(language="en"), FORM, 'The form must have a field "model"'),
            (build_form(), FORM, "The form has no parts."),
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
