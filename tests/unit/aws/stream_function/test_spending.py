"""Budgets hold in the real function over moto's DynamoDB: with many calls at once, and one that is killed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from centralized_ml_api.aws.spent_tokens import load_spent
from centralized_ml_api.plan.aws.spending import (
    OWNER_KEY,
    PERIOD_KEY,
    EntrySpending,
    SpendingPlan,
)
from centralized_ml_api.plan.usage.tokens import Tokens
from centralized_ml_api.plan.usage.types import SpentTokens
from support.model_server import ModelServer, start_model_server
from support.moto_server import start_moto
from support.runtime import FakeEndpoint, start_runtime
from support.stream_host import StreamAnswer, StreamHost, build_event, start_stream_host
from support.stream_host.host import OUR_CLIENT, runtime_client, write_function
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.plan.event import SpendingLimit
    from support.background import Background

CHAT_PATH = "/v1/chat/completions"
TABLE = "spending"
INSTANCES = 4
ANSWER = 10
PRICE = (1000, 1000, 1000)
"""A nanodollar a token."""


def ask(model: str, **more: Any) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": "a" * 40}], "max_tokens": ANSWER, **more}


NEED = len(json.dumps(ask("hosted"))) + 256 + ANSWER
"""What such a call may need: its bytes, what a server writes around them, the answer."""


@dataclass
class Model:
    """A model that says what it has used, which it adds up; `gate` holds answers back, if it is there.

    With `cache_control`, it says that it has written all that it has read to a cache.
    """

    used: int = 0
    gate: asyncio.Event | None = None
    held: threading.Event = field(default_factory=threading.Event)

    async def __call__(self, _request: web.Request, body: bytes) -> web.StreamResponse:
        document = json.loads(body)
        read, written = NEED - ANSWER, document.get("max_tokens", 0)
        usage: dict[str, Any] = {"prompt_tokens": read, "completion_tokens": written}
        if "cache_control" in document:
            usage["prompt_tokens_details"] = {"cache_write_tokens": read}
        self.used += read + written
        if self.gate:
            self.held.set()
            await self.gate.wait()
        choice = {"index": 0, "finish_reason": "stop"}
        if document.get("stream"):
            events: list[dict[str, Any]] = [{"choices": [{**choice, "delta": {"content": "b"}}]}]
            if (document.get("stream_options") or {}).get("include_usage"):
                events.append({"choices": [], "usage": usage})
            text = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
            return web.Response(text=f"{text}data: [DONE]\n\n", content_type="text/event-stream")
        message = {"role": "assistant", "content": "b"}
        return web.json_response({"choices": [{**choice, "message": message}], "usage": usage})


@dataclass
class Counting:
    """Instances of the function over one table, and the model behind both entries, `hosted` and `native`."""

    hosts: list[StreamHost]
    server: ModelServer
    database: Any

    def call(self, team: str, body: Any, path: str = CHAT_PATH, instance: int = 0) -> StreamAnswer:
        """A call of a team."""
        return self.hosts[instance].invoke(build_event(path, body, team=team))

    def usage(self, team: str) -> dict[str, Any]:
        """What the team is told."""
        answer = self.hosts[0].invoke(build_event("/v1/usage", method="GET", team=team))
        assert answer.status == 200
        usage: dict[str, Any] = json.loads(answer.body.read())
        return usage

    def item(self, owner: str, period: str = "event") -> dict[str, int]:
        """The numbers of an item."""
        key = {OWNER_KEY: {"S": owner}, PERIOD_KEY: {"S": period}}
        item = self.database.get_item(TableName=TABLE, Key=key, ConsistentRead=True)["Item"]
        return {name: int(value["N"]) for name, value in item.items() if "N" in value}


@pytest.fixture(scope="module")
def counting(loop: Background, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counting]:
    entries = {name: EntrySpending(PRICE, 4096) for name in ("hosted", "native")}
    limits: dict[str, tuple[SpendingLimit, ...]] = {
        "red": (("tokens", "event", 10 * NEED),),
        "blue": (("nanodollars", "event", 2 * NEED),),
        "violet": (("tokens", "event", 10 * NEED),),
        "green": (("tokens", "day", 10**9), ("tokens", "event", 10**9)),
        "": (("nanodollars", "event", 10**9),),
    }
    folder = write_function(SpendingPlan(limits, entries))
    with contextlib.ExitStack() as stack:
        moto = stack.enter_context(start_moto(tmp_path_factory.mktemp("moto")))
        database = moto.client("dynamodb")
        names = {OWNER_KEY: "HASH", PERIOD_KEY: "RANGE"}
        database.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in names.items()],
        )
        server = stack.enter_context(start_model_server(loop))
        runtime = stack.enter_context(start_runtime(loop, FakeEndpoint("native-endpoint", [server.url])))
        provider = {"url": f"{server.url}/v1", "model": "m", "apis": ["openai-chat"], "counts": True}
        models: dict[str, dict[str, object]] = {
            "hosted": {"provider": provider, "headers": []},
            "native": {"endpoint": "native-endpoint", "speaks": "openai-chat", "headers": []},
        }
        environment = {**moto.environment, "AWS_ENDPOINT_URL_DYNAMODB": moto.url, "SPENDING_TABLE": TABLE}
        del environment["AWS_ENDPOINT_URL"]
        hosts = [
            stack.enter_context(
                start_stream_host(
                    models=models, sagemaker_url=runtime, environment=environment, folder=folder
                )
            )
            for _ in range(INSTANCES)
        ]
        yield Counting(hosts, server, database)


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
    counting.hosts[1].begin(build_event(CHAT_PATH, ask("native"), team="blue"))
    assert model.held.wait(60)
    counting.hosts[1].kill()

    async def open_gate() -> None:
        assert model.gate is not None
        model.gate.set()

    loop.run(open_gate())
    model.gate = None
    assert counting.item("team#blue")["used_nanodollars"] == NEED
    assert [counting.call("blue", ask("native")).status for _ in range(2)] == [200, 429]
    assert model.used == 2 * NEED, "the model went on with what was killed"
    assert counting.item("team#blue")["used_nanodollars"] == 2 * NEED
    assert counting.usage("blue")["limits"][0]["left"] == 0


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
    """Last of all: the table goes."""
    model = counting.server.answering = Model()
    nobodys = counting.hosts[0].invoke(build_event(CHAT_PATH, ask("hosted")))
    assert nobodys.status == 503, "whose call it is must be known"
    nobodys.body.read()
    counting.database.delete_table(TableName=TABLE)
    for path, method in ((CHAT_PATH, "POST"), ("/v1/usage", "GET")):
        answer = counting.hosts[0].invoke(build_event(path, ask("hosted"), method=method, team="green"))
        error = json.loads(answer.body.read())["error"]
        assert (answer.status, error["code"]) == (503, "model_not_ready")
        assert answer.headers["retry-after"] == "2"
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
