"""What one request can do to llama.cpp's own server past all rules: it fails alone, or there is a restart."""

from __future__ import annotations

import asyncio
import json
import os
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import urllib3
from bench.faults.bad_requests.chat import try_chat

from centralized_ml_api.config.weights import parse_weights
from centralized_ml_api.local.admission.violation import LlamaCppLimits
from centralized_ml_api.local.python_engine.mlapi_model_server.call_clock import LONGEST_STRETCH
from centralized_ml_api.local.servers.llama_cpp import LlamaCppServer
from centralized_ml_api.local.supervision.probe import Prober
from centralized_ml_api.local.supervision.replica import STUCK, Timeouts
from centralized_ml_api.local.supervision.service import ReplicatedService
from centralized_ml_api.plan.engines import LlamaCppServing
from support.fetching import Fetcher
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bench.faults.bad_requests.sending import Outcome

TIMEOUTS = Timeouts(probe=0.2, work=5, stop=1)
RESTARTED_SECONDS = 2 * LONGEST_STRETCH * TIMEOUTS.work
"""On a machine without a free core, seconds of silence count for less."""
HELLO = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 1}


@pytest.fixture(scope="module")
def weights() -> Path:
    """The weights of the default config, in the user's own cache: fetched once for all runs."""
    config = json.loads(Path("config/models.json").read_text(encoding="utf-8"))
    return Fetcher(None).fetch(config["models"][0]["local"]["weights"])


@asynccontextmanager
async def served(weights: Path, folder: Path) -> AsyncIterator[ReplicatedService]:
    """The service that `mlapi up` runs for the weights, with short timeouts."""
    serving = LlamaCppServing(parse_weights(str(weights)), 512, "auto")
    server = LlamaCppServer(serving, (weights,), "m", 64, dict(os.environ), folder)

    async def prepare(*_: object) -> LlamaCppServer:
        return server

    service = ReplicatedService(
        "m",
        prepare,
        replicas=1,
        logs=folder,
        prober=Prober(),
        changed=lambda: None,
        timeouts=TIMEOUTS,
    )
    running = asyncio.create_task(service.run())
    try:
        await until(lambda: service.report().state == "ready", "llama.cpp is ready")
        yield service
    finally:
        running.cancel()
        await asyncio.wait({running})


async def call(service: ReplicatedService, seconds: float = 60, **fields: Any) -> int:
    """The status of a call with these fields; 0 if no answer came in time."""
    url = f"{service.upstream('m').origins[0]}/v1/chat/completions"

    def post() -> int:
        try:
            answer = urllib3.request("POST", url, json={**HELLO, **fields}, timeout=seconds, retries=False)
        except urllib3.exceptions.HTTPError:
            return 0
        return answer.status

    return await asyncio.to_thread(post)


@pytest.mark.slow
def test_a_request_for_more_memory_than_there_is_fails_alone(weights: Path, tmp_path: Path) -> None:
    async def scenario() -> list[int]:
        async with served(weights, tmp_path) as service:
            absurd = await call(service, repeat_penalty=1.1, repeat_last_n=2_000_000_000)
            return [absurd, await call(service), service.report().restarts]

    assert asyncio.run(scenario()) == [400, 200, 0]


@pytest.mark.slow
def test_deep_recursion_does_not_end_it(weights: Path, tmp_path: Path) -> None:
    links = "".join(f"r{number} ::= r{number + 1}\n" for number in range(150_000))
    chain = f'root ::= r0\n{links}r150000 ::= "a"\n'
    nested = f'root ::= {"(" * 100_000}"a"{")" * 100_000}'

    async def scenario() -> list[int]:
        async with served(weights, tmp_path) as service:
            statuses = [await call(service, grammar=grammar) for grammar in (chain, nested)]
            return [*statuses, await call(service), service.report().restarts]

    assert asyncio.run(scenario()) == [200, 200, 200, 0]


@pytest.mark.slow
def test_one_that_works_for_nobody_is_restarted_and_serves_again(weights: Path, tmp_path: Path) -> None:
    endless = {"type": "string", "pattern": "^(([a-z]?){1,60}){1,60}$"}

    async def scenario() -> None:
        async with served(weights, tmp_path) as service:
            assert await call(service, 1, json_schema=endless, max_tokens=64) == 0
            await until(lambda: service.report().restarts == 1, "it is restarted", seconds=RESTARTED_SECONDS)
            await until(lambda: service.report().state == "ready", "it is ready again")
            report = service.report()
            assert (report.hangs, report.last_restart) == (1, f"{STUCK}: restarted")
            assert await call(service) == 200

    asyncio.run(scenario())
    assert f"{STUCK}: restarted" in (tmp_path / "m.log").read_text(errors="replace")


@pytest.mark.slow
def test_no_request_that_the_rules_let_through_fails_or_hangs(weights: Path, tmp_path: Path) -> None:
    async def scenario() -> tuple[Outcome, int, int]:
        async with served(weights, tmp_path) as service:
            port = int(service.upstream("m").origins[0].rpartition(":")[2])
            limits = LlamaCppLimits(context_tokens=512, max_output_tokens=4, slots=4)
            outcome = await asyncio.to_thread(try_chat, port, limits, count=300, seed=7)
            return outcome, service.report().restarts, await call(service)

    outcome, restarts, after = asyncio.run(scenario())
    assert outcome.findings == []
    assert outcome.statuses[200] > 30
    assert (restarts, after) == (0, 200)
