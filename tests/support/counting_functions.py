"""The real function over moto's DynamoDB, in front of a model that counts what it really reads and writes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web

from centralized_ml_api.plan.aws.spending import OWNER_KEY, PERIOD_KEY, EntrySpending, SpendingPlan
from support.model_server import ModelServer, start_model_server
from support.moto_server import start_moto
from support.runtime import FakeEndpoint, start_runtime
from support.stream_host import StreamAnswer, StreamHost, build_event, start_stream_host
from support.stream_host.host import write_function

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from centralized_ml_api.plan.event import SpendingLimit
    from support.background import Background
    from support.stream_host.runtime_api import Invocation

    Limits = Mapping[str, tuple[SpendingLimit, ...]]

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

    def hold(self, host: StreamHost, event: dict[str, Any]) -> Invocation:
        """Sends a call, and returns once it waits at the gate."""
        self.held.clear()
        invocation = host.begin(event)
        assert self.held.wait(60)
        return invocation

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


async def open_gate(gate: asyncio.Event | None) -> None:
    """Lets all calls go on that wait at a gate."""
    assert gate is not None
    gate.set()


@dataclass
class Counting:
    """Instances of the function over one table, and the model behind both entries, `hosted` and `native`.

    `deploy` starts one more instance, of a deploy with other limits and with more variables.
    """

    hosts: list[StreamHost]
    server: ModelServer
    database: Any
    deploy: Callable[[Limits, Mapping[str, str]], AbstractContextManager[StreamHost]]

    def call(self, team: str, body: Any, path: str = CHAT_PATH, instance: int = 0) -> StreamAnswer:
        """A call of a team."""
        return self.hosts[instance].invoke(build_event(path, body, team=team))

    def usage(self, team: str, host: StreamHost | None = None) -> dict[str, Any]:
        """What the team is told, by the first instance unless it is another."""
        answer = (host or self.hosts[0]).invoke(build_event("/v1/usage", method="GET", team=team))
        assert answer.status == 200
        usage: dict[str, Any] = json.loads(answer.body.read())
        return usage

    def item(self, owner: str, period: str = "event") -> dict[str, int]:
        """The numbers of an item."""
        key = {OWNER_KEY: {"S": owner}, PERIOD_KEY: {"S": period}}
        item = self.database.get_item(TableName=TABLE, Key=key, ConsistentRead=True)["Item"]
        return {name: int(value["N"]) for name, value in item.items() if "N" in value}


@contextlib.contextmanager
def start_counting(folder: Path, loop: Background, limits: Limits) -> Iterator[Counting]:
    """Starts instances of the function that keep these limits.

    Args:
        folder: For moto's log.
        loop: Serves the model.
        limits: Those of each team.
    """
    with contextlib.ExitStack() as stack:
        moto = stack.enter_context(start_moto(folder))
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

        def start(code: Path, more: Mapping[str, str]) -> AbstractContextManager[StreamHost]:
            return start_stream_host(
                models=models, sagemaker_url=runtime, environment={**environment, **more}, folder=code
            )

        code = _write(limits)
        hosts = [stack.enter_context(start(code, {})) for _ in range(INSTANCES)]
        yield Counting(hosts, server, database, lambda changed, more: start(_write(changed), more))


def _write(limits: Limits) -> Path:
    entries = dict.fromkeys(("hosted", "native"), EntrySpending(PRICE, 4096))
    return write_function(SpendingPlan(limits, entries))
