"""A budget holds: 200 calls at once, callers that leave, and processes that are killed."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import openai
import pytest

from centralized_ml_api.local.admission.account_book import ACCOUNTS_NAME, load_used
from centralized_ml_api.local.admission.terms import EntryTerms
from centralized_ml_api.local.gateway import (
    Gateway,
    ServedRoute,
    TeamAccess,
    Upstream,
)
from centralized_ml_api.plan.event import Spending
from support.counting_model import BROKEN, CountingModel
from support.model_server import start_model_server
from support.running_gateway import DEADLINE_SECONDS, start_gateway
from support.spent import ANSWER_TOKENS, BODY, BUDGET, CHAT, NEED, PRICE, Spent
from support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from aiohttp import web

    from support.background import Background

pytestmark = pytest.mark.slow


def call_at_once(spent: Spent, key: str, number: int, **more: Any) -> list[int]:
    """So many calls at once; returns the status of each, 0 where the connection broke."""

    def call(_: int) -> int:
        try:
            return spent.call(key, **more).status
        except (OSError, http.client.HTTPException, AttributeError):  # the last where nobody listens
            return 0

    with ThreadPoolExecutor(50) as pool:
        return list(pool.map(call, range(number)))


def leave_early(spent: Spent, key: str) -> None:
    """Asks for a stream and leaves after its first bytes."""
    body = json.dumps({**json.loads(BODY), "stream": True})
    with (
        contextlib.suppress(OSError, http.client.HTTPException),
        contextlib.closing(spent.gateway.connect()) as caller,
    ):
        caller.request("POST", CHAT, body, {"x-api-key": key})
        caller.getresponse().read(1)


def test_two_hundred_calls_at_once_spend_no_more_than_a_budget_for_ten(spent: Spent) -> None:
    key = spent.add_team(nanodollars=BUDGET)
    before, calls = spent.model.used, spent.model.calls
    statuses = call_at_once(spent, key, 200)
    assert set(statuses) == {200, 429}
    assert spent.model.calls - calls == statuses.count(200) >= 10
    assert spent.model.used - before <= BUDGET


def test_what_is_not_used_comes_back(spent: Spent) -> None:
    key = spent.add_team(nanodollars=2 * NEED)
    for _ in range(5):  # each asks for half of the budget, and uses a tenth
        wait_until(lambda: spent.call(key).status == 200, "what the call before did not use is there again")


def test_who_has_much_left_gets_back_what_is_not_used_a_moment_later(spent: Spent) -> None:
    key = spent.add_team(tokens_per_day=10**9)
    before, calls = spent.model.used, 20
    assert set(call_at_once(spent, key, calls)) == {200}
    used = spent.model.used - before

    def see() -> Any:
        return spent.gateway.call("/v1/usage", headers={"x-api-key": key}, method="GET").json

    wait_until(lambda: see()["limits"][0]["left"] == 10**9 - used, "all calls are settled")


def test_calls_that_end_while_the_gateway_stops_give_back_what_they_did_not_use(
    tmp_path: Path, background: Background
) -> None:
    model, may_answer = CountingModel(), threading.Event()

    async def answer(request: web.Request, body: bytes) -> web.StreamResponse:
        await asyncio.to_thread(may_answer.wait, DEADLINE_SECONDS)
        return await model.answer(request, body)

    terms = EntryTerms(has_tokens=True, price=PRICE)
    with start_model_server(background) as server:
        upstream = Upstream("model", (urlsplit(server.url).port or 0,))
        route = ServedRoute("chat", "model", CHAT, (), admission=terms, counts_tokens=True)
        team = TeamAccess("red", ("red-key",), spending=Spending(tokens_per_day=10**9))
        served = Gateway((upstream,), (route,), by_model={CHAT: (route,)}, teams=(team,))
        with start_gateway(tmp_path, background, served) as gateway, ThreadPoolExecutor(2) as pool:

            def call() -> int:
                return gateway.call(CHAT, BODY.encode(), {"x-api-key": "red-key"}).status

            server.answering = model.answer
            assert call() == 200
            server.answering = answer
            calling = pool.submit(call)
            wait_until(lambda: len(server.asked) == 2, "a call is under way, within the advance of the first")
            draining = pool.submit(background.run, gateway.envoy.drain(DEADLINE_SECONDS))
            may_answer.set()
            draining.result(DEADLINE_SECONDS)
            assert calling.result(DEADLINE_SECONDS) == 200
            assert gateway.process is not None
            gateway.process.terminate()
            gateway.process.wait()

            def used() -> int:
                return sum(load_used(gateway.folder / ACCOUNTS_NAME).values())

            wait_until(lambda: used() == model.used, "both ends were told")


def test_what_the_server_itself_refuses_is_free(spent: Spent) -> None:
    key = spent.add_team(nanodollars=NEED + 20)
    for _ in range(3):
        wait_until(lambda: spent.call(key, seed=BROKEN).status == 500, "the call before was free")
    wait_until(lambda: spent.call(key).status == 200, "nothing was used")


def test_a_refusal_says_what_is_left_and_that_waiting_does_not_help(spent: Spent) -> None:
    key = spent.add_team(nanodollars=NEED - 1)
    answer = spent.call(key)
    assert (answer.status, answer.error["code"]) == (429, "budget_exceeded")
    assert "and this call alone may cost" in answer.error["message"]
    assert (answer.header("x-should-retry"), answer.header("retry-after")) == ("false", None)
    assert answer.header("access-control-allow-origin") == "*"


def test_openais_client_does_not_repeat_what_stays_refused(spent: Spent) -> None:
    key = spent.add_team(nanodollars=ANSWER_TOKENS)
    answers: list[Any] = []
    hooked = openai.DefaultHttpxClient(event_hooks={"response": [answers.append]})
    url = f"http://127.0.0.1:{spent.gateway.port}/v1"
    with openai.OpenAI(base_url=url, api_key=key, max_retries=2, http_client=hooked) as client:
        with pytest.raises(openai.RateLimitError, match="this call alone may cost") as refused:
            client.chat.completions.create(**json.loads(BODY))
        assert refused.value.code == "budget_exceeded"
        assert [answer.status_code for answer in answers] == [429]


def test_tokens_a_minute_come_back_with_the_next_minute(spent: Spent) -> None:
    key = spent.add_team(tokens_per_minute=NEED)
    first = spent.call(key)
    assert first.status == 200
    assert first.header("x-ratelimit-limit-tokens") == str(NEED)
    assert first.header("x-ratelimit-remaining-tokens") == "0"
    assert 1 <= int((first.header("x-ratelimit-reset-tokens") or "").removesuffix("s")) <= 61
    second = spent.call(key, max_tokens=ANSWER_TOKENS + 1)
    assert (second.status, second.error["code"]) == (429, "tokens_exceeded")


def test_who_names_no_number_gets_the_entrys_and_other_teams_are_left_alone(spent: Spent) -> None:
    limited, free = spent.add_team(tokens_per_day=10**6), spent.add_team()
    document = {"model": "chat", "max_tokens": None, "messages": [{"role": "user", "content": "x"}]}
    answer = spent.gateway.call(CHAT, json.dumps(document).encode(), {"x-api-key": limited})
    assert (answer.status, spent.model.bodies[-1]["max_tokens"]) == (200, 4096)
    answer = spent.call(free)
    assert answer.status == 200
    assert [name for name, _ in answer.headers if name.startswith("x-ratelimit")] == []
    assert spent.model.bodies[-1] == json.loads(BODY)


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "Bearer  "])
def test_no_spelling_of_a_key_gets_round_a_limit(spent: Spent, scheme: str) -> None:
    key = {"authorization": f"{scheme}{spent.add_team(nanodollars=NEED - 1)}"}
    for path in (CHAT, "/chat", "/chat?a=b", f"/chat{CHAT}"):
        assert spent.gateway.call(path, BODY.encode(), key).status == 429, path
    told = spent.gateway.call("/v1/usage", headers=key, method="GET")
    assert (told.status, told.json["limits"][0]["left"]) == (200, pytest.approx((NEED - 1) / 1e9))
    assert spent.gateway.call("/health", headers=key, method="GET").status == 200


def test_who_is_not_limited_needs_no_accountant(spent: Spent) -> None:
    limited, free = spent.add_team(nanodollars=BUDGET), spent.add_team()
    assert spent.gateway.admission is not None
    spent.gateway.admission.kill()
    spent.gateway.admission.wait()

    def call(path: str, **headers: str) -> int:
        written = {name.replace("_", "-"): value for name, value in headers.items()}
        return spent.gateway.call(path, BODY.encode(), written).status

    try:
        for path in (CHAT, "/chat", "/chat?a=b"):
            assert call(path, x_api_key=free) == call(path, authorization=f"Bearer {free}") == 200
            assert call(path, x_api_key=limited) == call(path, authorization=f"Bearer {limited}") == 503
            assert call(path, x_api_key=limited, authorization=f"Bearer {free}") == 503
    finally:
        spent.gateway.start_admission()
    wait_until(lambda: call(CHAT, x_api_key=limited) == 200, "the accountant answers")


def test_a_budget_holds_through_callers_that_leave_and_processes_that_are_killed(spent: Spent) -> None:
    key = spent.add_team(nanodollars=BUDGET)
    before = spent.model.used
    for kill in ("accountant", "gateway", "nobody"):
        leaving = [threading.Thread(target=leave_early, args=(spent, key)) for _ in range(2)]
        calls = threading.Thread(target=call_at_once, args=(spent, key, 60))
        for caller in (*leaving, calls):
            caller.start()
        if kill == "accountant" and spent.gateway.admission is not None:
            spent.gateway.admission.kill()
            spent.gateway.admission.wait()
            assert spent.call(key).status == 503
            spent.gateway.start_admission()
        elif kill == "gateway":
            spent.gateway.stop()
            spent.gateway.start()
        for caller in (*leaving, calls):
            caller.join(DEADLINE_SECONDS)
        wait_until(lambda: spent.call(key, max_tokens=10**6).status == 429, "the accountant answers")
    assert spent.model.used - before <= BUDGET
    assert set(call_at_once(spent, key, 20)) <= {200, 429}
    assert spent.model.used - before <= BUDGET


def test_a_team_sees_what_it_has_used_and_what_is_left(spent: Spent) -> None:
    key = spent.add_team(nanodollars=BUDGET, tokens_per_day=10**6)
    used = 50 + ANSWER_TOKENS
    assert spent.call(key).status == 200

    def see() -> Any:
        return spent.gateway.call("/v1/usage", headers={"x-api-key": key}, method="GET").json

    wait_until(lambda: see()["limits"][0]["left"] == 10**6 - used, "the call is settled")
    tokens, money = see()["limits"]
    assert (tokens["unit"], tokens["period"], tokens["limit"], tokens["of"]) == (
        "tokens",
        "day",
        10**6,
        "team",
    )
    assert tokens["resets"].endswith("T00:00:00Z")
    assert (money["unit"], money["limit"], money["resets"]) == ("usd", BUDGET / 1e9, None)
    assert money["left"] == (BUDGET - used) / 1e9
    assert see()["team"] == spent.teams[-1].name
    refused = spent.gateway.call("/v1/usage", headers={"x-api-key": "wrong"}, method="GET")
    assert refused.status == 401
    assert spent.gateway.call("/v1/usage", headers={"x-api-key": key}).status == 405
