"""What a stream counts that ends in an error, stops, or is translated."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from centralized_ml_api.local.envoy.headers import OWN_REPLY_HEADER
from centralized_ml_api.local.envoy.translator import TRANSLATOR_SOCKET
from support.counting_model import BROKEN_OFF, QUOTING
from support.ending_streams import ENDED, STOPPED
from support.spent import BODY, CHAT, NEED, Spent, wait_until_it_is_final
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiohttp.typedefs import Handler

    from support.background import Background

pytestmark = pytest.mark.slow


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
