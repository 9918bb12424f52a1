"""A budget holds: 200 calls at once, callers that leave, and processes that are killed."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import openai
import pytest
from aiohttp import web

from centralized_ml_api.local.admission.account_book import ACCOUNTS_NAME, load_used
from centralized_ml_api.local.admission.terms import EntryTerms
from centralized_ml_api.local.envoy.headers import OWN_REPLY_HEADER
from centralized_ml_api.local.envoy.translator import TRANSLATOR_SOCKET
from centralized_ml_api.local.gateway import (
    ExternalUpstream,
    Gateway,
    ProviderAccess,
    ServedRoute,
    TeamAccess,
    Translation,
    Upstream,
)
from centralized_ml_api.plan.event import Spending
from support.counting_model import BROKEN, BROKEN_OFF, QUOTING, CountingModel
from support.ending_streams import ENDED, STOPPED
from support.model_server import start_model_server
from support.running_gateway import DEADLINE_SECONDS, RunningGateway, start_gateway
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from aiohttp.typedefs import Handler

    from support.background import Background
    from support.running_gateway import Answer

pytestmark = pytest.mark.slow
CHAT = "/v1/chat/completions"
PRICE = (1000, 1000, 1000)
"""A nanodollar a token, so that dollars and tokens are the same number."""

ANSWER_TOKENS = 20
BODY = json.dumps(
    {"model": "chat", "max_tokens": ANSWER_TOKENS, "messages": [{"role": "user", "content": "x" * 50}]}
)
NEED = len(BODY) + 256 + ANSWER_TOKENS
BUDGET = 10 * NEED
TRANSLATION = Translation("anthropic-messages", "openai-chat", "max_tokens", takes_stream_options=False)


def spending(amount: int = BUDGET) -> Spending:
    return Spending(nanodollars=amount)


@dataclass
class Spent:
    """A gateway before such a model, and each test's own team."""

    gateway: RunningGateway
    model: CountingModel
    served: Gateway
    teams: list[TeamAccess] = field(default_factory=list)

    def add_team(self, **limits: Any) -> str:
        """A team with limits of its own; returns its key."""
        name = f"team{len(self.teams)}"
        self.teams.append(TeamAccess(name, (f"key-of-{name}",), spending=Spending(**limits)))
        self.gateway.apply(replace(self.served, teams=tuple(self.teams)))
        return f"key-of-{name}"

    def call(self, key: str, **more: Any) -> Answer:
        body = json.dumps({**json.loads(BODY), **more}) if more else BODY
        return self.gateway.call(CHAT, body.encode(), {"x-api-key": key})


@pytest.fixture(scope="module")
def spent(background: Background, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spent]:
    model = CountingModel()
    with start_model_server(background) as server:
        server.answering = model.answer
        terms = EntryTerms(has_tokens=True, price=PRICE)
        route = ServedRoute("chat", "model", CHAT, (), admission=terms, counts_tokens=True)
        translated = replace(route, name="translated", translation=TRANSLATION)
        passed = replace(route, name="passed", streams=True)
        translated_stream = replace(translated, name="translated-stream", streams=True)
        upstream = Upstream("model", (urlsplit(server.url).port or 0,))
        external = ExternalUpstream(
            "hosted", "127.0.0.1", upstream.ports[0], tls=False, provider=ProviderAccess("x-key", "", None)
        )
        hosted = replace(route, name="hosted", upstream="hosted")
        hosted_stream = replace(hosted, name="hosted-stream", streams=True)
        served = Gateway(
            (upstream, external),
            (route, translated, passed, translated_stream, hosted, hosted_stream),
            by_model={CHAT: (route,)},
        )
        with start_gateway(tmp_path_factory.mktemp("spent"), background, served) as gateway:
            yield Spent(gateway, model, served)


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


@pytest.mark.parametrize("path", [CHAT, "/passed", "/translated", "/translated-stream"])
def test_a_stream_that_ends_with_an_error_counts_in_full(
    spent: Spent, background: Background, path: str
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return await spent.model.answer(request, await request.read())

    asked = {**json.loads(BODY), "stream": True, "seed": BROKEN_OFF}
    body = json.dumps(asked).encode()
    key = spent.add_team(nanodollars=NEED + len(body) - len(BODY))
    with translating(spent, background, answer):
        answered = spent.gateway.call(path, body, {"x-api-key": key})
    assert (answered.status, b'"error"' in answered.body) == (200, True)
    wait_until_it_is_final(spent, key)


@contextlib.contextmanager
def translating(spent: Spent, background: Background, answer: Handler) -> Iterator[None]:
    """Answers in the translator's place."""

    async def listen() -> web.AppRunner:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.UnixSite(runner, str(spent.gateway.folder / TRANSLATOR_SOCKET)).start()
        return runner

    runner = background.run(listen())
    try:
        yield
    finally:
        background.run(runner.cleanup())


@pytest.mark.parametrize("path", [CHAT, "/passed"])
def test_an_error_that_a_stream_quotes_is_none(spent: Spent, path: str) -> None:
    asked = {**json.loads(BODY), "stream": True, "seed": QUOTING}
    body = json.dumps(asked).encode()
    key = spent.add_team(nanodollars=NEED + len(body) - len(BODY))
    assert spent.gateway.call(path, body, {"x-api-key": key}).status == 200
    short = {"messages": [{"role": "user", "content": "x"}], "max_tokens": 1}
    wait_until(lambda: spent.call(key, **short).status == 200, "what was not used comes back")


@pytest.mark.parametrize("path", [CHAT, "/passed", "/hosted", "/hosted-stream"])
@pytest.mark.parametrize("stream", STOPPED)
def test_a_stream_that_stops_before_its_last_report_counts_in_full(
    spent: Spent, path: str, stream: str
) -> None:
    key = stream_once(spent, path, STOPPED[stream])
    wait_until_it_is_final(spent, key)


@pytest.mark.parametrize("path", [CHAT, "/passed", "/hosted", "/hosted-stream"])
@pytest.mark.parametrize("stream", ENDED)
def test_a_stream_without_a_marker_at_its_end_counts_what_it_reports(
    spent: Spent, path: str, stream: str
) -> None:
    key = stream_once(spent, path, ENDED[stream])
    short = {"messages": [{"role": "user", "content": "x"}], "max_tokens": 1}
    wait_until(lambda: spent.call(key, **short).status == 200, "what was not used comes back")


def test_an_event_of_a_provider_that_is_long_in_coming_is_read_but_once(spent: Spent) -> None:
    """Looking for its end anew from each of its characters would keep the gateway busy for minutes."""
    pieces = [b"x" * 5_000] * 180
    key = stream_once(spent, "/hosted-stream", (b'data: {"a": "', *pieces, b'"}\n\n', *ENDED["a chat"]))
    short = {"messages": [{"role": "user", "content": "x"}], "max_tokens": 1}
    wait_until(lambda: spent.call(key, **short).status == 200, "what was not used comes back")


def stream_once(spent: Spent, path: str, stream: tuple[bytes, ...]) -> str:
    """Lets a team whose budget is one call make it, and get this stream; returns its key."""
    body = json.dumps({**json.loads(BODY), "stream": True}).encode()
    key = spent.add_team(nanodollars=NEED + len(body) - len(BODY))
    spent.model.said = stream
    try:
        answered = spent.gateway.call(path, body, {"x-api-key": key})
    finally:
        spent.model.said = ()
    assert (answered.status, answered.body) == (200, b"".join(stream))
    return key


def failing(mark: str) -> Handler:
    """Returns what a translator answers that fails with this mark."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"error": {}}, status=502, headers={OWN_REPLY_HEADER: mark})

    return answer


def test_an_answer_that_cannot_be_translated_counts_in_full(spent: Spent, background: Background) -> None:
    key = spent.add_team(nanodollars=NEED)

    def call() -> int:
        answer = spent.gateway.call("/translated", BODY.encode(), {"x-api-key": key})
        assert answer.header(OWN_REPLY_HEADER) is None
        return answer.status

    with translating(spent, background, failing("UF,URX")):
        for _ in range(2):
            wait_until(lambda: call() == 502, "the call before reached no server and was free")
    with translating(spent, background, failing("-")):
        wait_until(lambda: call() == 502, "the call before was free")
    wait_until_it_is_final(spent, key)


def wait_until_it_is_final(spent: Spent, key: str) -> None:
    """Waits until a short call is refused without hope that those under way give anything back."""

    def refuse() -> bool:
        answer = spent.call(key, messages=[{"role": "user", "content": "x"}], max_tokens=1)
        assert answer.status == 429
        return answer.header("x-should-retry") == "false"

    wait_until(refuse, "nothing is given back")


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
