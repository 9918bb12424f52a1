"""Budgets hold in the real function over moto's DynamoDB: with many calls at once, and one that is killed."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from centralized_ml_api.aws.usage.spent_tokens import load_spent
from centralized_ml_api.plan.usage.tokens import Tokens
from centralized_ml_api.plan.usage.types import SpentTokens
from support.counting_functions import (
    ANSWER,
    CHAT_PATH,
    INSTANCES,
    NEED,
    TABLE,
    Counting,
    Model,
    ask,
    open_gate,
    start_counting,
)
from support.jobs_on_aws import make_table
from support.stream_host import StreamHost, build_event
from support.stream_host.host import OUR_CLIENT, runtime_client
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.plan.event import SpendingLimit
    from support.background import Background

LIMITS: dict[str, tuple[SpendingLimit, ...]] = {
    "red": (("tokens", "event", 10 * NEED),),
    "blue": (("nanodollars", "event", 2 * NEED),),
    "violet": (("tokens", "event", 10 * NEED),),
    "green": (("tokens", "day", 10**9), ("tokens", "event", 10**9)),
    "orange": (("tokens", "day", 10**9), ("nanodollars", "event", 10 * NEED)),
    "": (("nanodollars", "event", 10**9),),
}
BEHIND = "data:text/javascript,const%20now=Date.now;Date.now=()=>now()-3*24*60*60*1000"
"""A script that sets a clock back by three days."""


@pytest.fixture(scope="module")
def counting(loop: Background, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counting]:
    with start_counting(tmp_path_factory.mktemp("moto"), loop, LIMITS) as counting:
        yield counting


@pytest.mark.slow
def test_many_calls_at_once_spend_a_budget_for_ten_and_no_token_more(counting: Counting) -> None:
    model = counting.server.answering = Model()

    event = build_event(CHAT_PATH, ask("hosted"), team="red")
    waiting = [(host, host.begin(event)) for _ in range(200 // INSTANCES) for host in counting.hosts]
    answers = [host.take(invocation) for host, invocation in waiting]
    assert sorted(answer.status for answer in answers) == [200] * 10 + [429] * 190
    for answer in answers:
        answer.body.read()
    assert model.used == 10 * NEED
    assert counting.item("team#red") == {
        **counting.item("team#red"),
        "used_tokens": 10 * NEED,
        "used_nanodollars": 10 * NEED,
        "open_tokens": 0,
        "open_nanodollars": 0,
    }
    refused = counting.call("red", ask("hosted"))
    error = json.loads(refused.body.read())["error"]
    assert (error["code"], error["type"]) == ("tokens_exceeded", "rate_limit_error")
    assert f"0 tokens are left, and this call may need {NEED} tokens." in error["message"]
    assert refused.headers["x-should-retry"] == "false"
    assert "retry-after" not in refused.headers
    told = counting.usage("red")
    assert {
        name: told[name] for name in ("team", "calls", "tokens_in", "tokens_out", "tokens_estimated")
    } == {
        "team": "red",
        "calls": 10,
        "tokens_in": 10 * (NEED - ANSWER),
        "tokens_out": 10 * ANSWER,
        "tokens_estimated": 0,
    }
    assert (told["limits"][0]["of"], told["limits"][0]["left"]) == ("team", 0)
    (spent,) = load_spent(counting.database, TABLE, None)
    assert spent == SpentTokens(
        "red", "hosted", 10, Tokens(10 * (NEED - ANSWER), 0, 10 * ANSWER, nanodollars=10 * NEED)
    )


@pytest.mark.slow
def test_a_function_that_is_killed_has_spent_what_it_reserved(counting: Counting, loop: Background) -> None:
    model = counting.server.answering = Model(gate=asyncio.Event())
    model.hold(counting.hosts[1], build_event(CHAT_PATH, ask("native"), team="blue"))
    counting.hosts[1].kill()
    loop.run(open_gate(model.gate))
    model.gate = None
    assert counting.item("team#blue")["used_nanodollars"] == NEED
    assert [counting.call("blue", ask("native")).status for _ in range(2)] == [200, 429]
    assert model.used == 2 * NEED, "the model went on with what was killed"
    assert counting.item("team#blue")["used_nanodollars"] == 2 * NEED
    assert counting.usage("blue")["limits"][0]["left"] == 0


@pytest.mark.slow
def test_a_budget_holds_through_deaths_deploys_and_clocks_that_step(
    counting: Counting, loop: Background
) -> None:
    model = counting.server.answering = Model(gate=asyncio.Event())
    event = build_event(CHAT_PATH, ask("hosted"), team="orange")

    def call(host: StreamHost, number: int) -> list[int]:
        answers = [host.take(invocation) for invocation in [host.begin(event) for _ in range(number)]]
        for answer in answers:
            answer.body.read()
        return [answer.status for answer in answers]

    slow, dying, quick = counting.hosts[:3]
    under_way = model.hold(slow, event)
    model.hold(dying, event)
    dying.kill()
    gate, model.gate = model.gate, None
    assert call(quick, 2) == [200, 200]
    lowered = {**LIMITS, "orange": (("nanodollars", "event", 6 * NEED),)}
    with counting.deploy(lowered, {}) as other:
        assert call(other, 3) == [200, 200, 429]
        assert call(quick, 1) == [200], "instances of the deploy before answer for a while"
        loop.run(open_gate(gate))
        assert slow.take(under_way).status == 200
        assert call(other, 1) == [429]
    with counting.deploy(LIMITS, {"NODE_OPTIONS": f"--import={BEHIND}"}) as behind:
        assert counting.usage("orange", behind)["limits"][0]["left"] == 10**9, "it is another day there"
        assert call(behind, 4) == [200, 200, 200, 429]
    assert call(quick, 1) == [429]
    assert model.used == counting.item("team#orange")["used_nanodollars"] == 10 * NEED


@pytest.mark.slow
def test_a_caller_that_leaves_in_the_middle_has_spent_what_it_reserved(counting: Counting) -> None:
    counting.server.answering = begin_only
    answer = counting.call("violet", ask("hosted", stream=True))
    assert b"data: " in next(answer.body)
    answer.body.close()
    reserved = NEED + len(json.dumps(ask("hosted", stream=True))) - len(json.dumps(ask("hosted")))
    settles = runtime_client() == OUR_CLIENT  # AWS's ends with its connection: what was reserved stays
    if settles:
        wait_until(lambda: counting.usage("violet")["calls"] == 1, "the call is settled")
    assert counting.usage("violet")["limits"][0]["left"] == 10 * NEED - reserved
    item = counting.item("team#violet")
    assert (item["used_tokens"], item["open_tokens"]) == (reserved, 0 if settles else reserved)


def spent_metrics(counting: Counting) -> list[Any]:
    """What the log of the first instance tells CloudWatch of the team `green`: lines that are JSON alone."""
    lines = [line for line in counting.hosts[0].lines if line.startswith('{"_aws"')]
    return [metric for metric in map(json.loads, lines) if metric["Team"] == "green"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "path", "used"),
    [
        (ask("hosted", stream=True), CHAT_PATH, NEED),
        (ask("native", stream=True), CHAT_PATH, NEED),
        (ask("native", stream=True, stream_options={"include_usage": True}), CHAT_PATH, NEED),
        (ask("hosted"), "/hosted", NEED),
        (b"a" * 400, "/native", 100 + 10),  # no JSON: a token for each four bytes in and out
    ],
)
def test_what_a_call_has_used_is_settled(counting: Counting, body: Any, path: str, used: int) -> None:
    counting.server.answering = Model() if isinstance(body, dict) else answer_bytes
    before = counting.usage("green")["limits"][1]["left"]
    told = len(spent_metrics(counting))
    answer = counting.call("green", body, path)
    text = answer.body.read().decode()
    assert answer.status == 200
    wait_until(lambda: len(spent_metrics(counting)) > told, "CloudWatch is told what was used")
    metric = spent_metrics(counting)[told]
    assert metric["Tokens"] == used
    assert metric["UsDollars"] == pytest.approx(used / 1e9)
    asked = isinstance(body, dict) and "stream_options" in body
    if isinstance(body, dict) and body.get("stream"):
        assert ('"usage"' in text) is asked
        assert text.endswith("data: [DONE]\n\n")
    assert before - counting.usage("green")["limits"][1]["left"] == used
    assert answer.headers["x-ratelimit-limit-tokens"] == str(10**9)
    reserved = before - int(answer.headers["x-ratelimit-remaining-tokens"])
    if isinstance(body, dict):
        assert reserved == NEED + len(json.dumps(body)) - len(json.dumps(ask("hosted")))
    else:
        assert reserved == 100 + 4096


@pytest.mark.slow
def test_what_a_cache_writes_costs_a_limit_and_who_looks_the_same(counting: Counting) -> None:
    counting.server.answering = Model()
    before = counting.usage("green")
    answer = counting.call("green", ask("hosted", cache_control={"type": "ephemeral"}))
    assert answer.status == 200
    answer.body.read()

    def spent() -> list[float]:
        after = counting.usage("green")
        return [after["usd"] - before["usd"], before["limits"][2]["left"] - after["limits"][2]["left"]]

    usd = (2 * NEED - ANSWER) / 1e9
    wait_until(lambda: spent() == [pytest.approx(usd)] * 2, "both are told")


@pytest.mark.slow
def test_nobody_spends_what_cannot_be_written_down(counting: Counting) -> None:
    model = counting.server.answering = Model()
    nobodys = counting.hosts[0].invoke(build_event(CHAT_PATH, ask("hosted")))
    assert nobodys.status == 503, "whose call it is must be known"
    nobodys.body.read()
    counting.database.delete_table(TableName=TABLE)
    try:
        for path, method in ((CHAT_PATH, "POST"), ("/v1/usage", "GET")):
            answer = counting.hosts[0].invoke(build_event(path, ask("hosted"), method=method, team="green"))
            error = json.loads(answer.body.read())["error"]
            assert (answer.status, error["code"]) == (503, "model_not_ready")
            assert answer.headers["retry-after"] == "2"
    finally:
        make_table(counting.database, TABLE)
    assert model.used == 0


async def begin_only(request: web.Request, _body: bytes) -> web.StreamResponse:
    """A stream that has begun and never ends."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    event = {"choices": [{"index": 0, "finish_reason": None, "delta": {"content": "b"}}]}
    await response.write(f"data: {json.dumps(event)}\n\n".encode())
    return await asyncio.Future[web.StreamResponse]()


async def answer_bytes(_request: web.Request, _body: bytes) -> web.StreamResponse:
    return web.Response(body=b"b" * 40, content_type="application/octet-stream")
