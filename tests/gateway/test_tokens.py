"""The tokens of answers, as every API reports them, in the access log and in Envoy's statistics."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from centralized_ml_api.local.envoy import Limits
from centralized_ml_api.local.gateway import Gateway, ServedRoute, Upstream
from centralized_ml_api.local.traffic.read import parse_counted
from centralized_ml_api.local.usage.first_words import find_usual_wait
from centralized_ml_api.local.usage.log_lines import parse_call
from centralized_ml_api.plan.usage.tokens import Tokens
from support.model_server import ModelServer, answer, exit_midway, hang, start_model_server
from support.running_gateway import RunningGateway, read, start_gateway
from support.streaming import streams
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.background import Background
    from support.model_server import Answering

pytestmark = pytest.mark.slow
Counted = tuple[int | None, int | None, int | None, str | None]


def whole(**document: Any) -> Answering:
    return answer(200, json.dumps(document, indent=1).encode(), Content_Type="application/json")


def events(*documents: Any, cut: int = 0) -> Answering:
    """A stream; with `cut`, one that is cut into pieces of this size on its way."""
    text = "".join(f"data: {json.dumps(document)}\n\n" for document in documents).encode()
    size = cut or len(text)
    return streams(*(text[start : start + size] for start in range(0, len(text), size)))


CHAT = {"prompt_tokens": 19, "completion_tokens": 10, "prompt_tokens_details": {"cached_tokens": 4}}
RESPONSE = {"input_tokens": 36, "input_tokens_details": {"cached_tokens": 3}, "output_tokens": 87}
TIMINGS = {"cache_n": 5, "prompt_n": 14, "prompt_ms": 9.5, "predicted_n": 10, "predicted_ms": 80.25}
WORD = {"choices": [{"delta": {"content": 'it says \\"usage\\": {"prompt_tokens": 9999}'}}], "usage": None}
TOOL = {"parameters": {"properties": {"usage": {"input_tokens": 0, "output_tokens": 0}}}}
SHAPES: dict[str, tuple[Answering, Counted]] = {
    "a chat": (whole(usage=CHAT, choices=[]), (19, 4, 10, "whole")),
    "embeddings": (whole(data=[], usage={"prompt_tokens": 8, "total_tokens": 8}), (8, None, None, "whole")),
    "thoughts in the total alone": (
        whole(usage={"prompt_tokens": 8, "completion_tokens": 3, "total_tokens": 20}),
        (8, None, 12, "whole"),
    ),
    "a total alone": (whole(usage={"total_tokens": 8}), (8, None, None, "whole")),
    "a response that quotes": (whole(usage=RESPONSE, tools=[TOOL]), (36, 3, 87, "whole")),
    "messages": (
        whole(usage={"input_tokens": 7, "cache_read_input_tokens": 20, "output_tokens": 5}),
        (27, 20, 5, "whole"),
    ),
    "an answer without a report": (whole(choices=[]), (None, None, None, "whole")),
    "a streamed chat": (events(WORD, WORD, {"choices": [], "usage": CHAT}), (19, 4, 10, "stream")),
    "a stream in small pieces": (events(WORD, {"usage": CHAT}, cut=7), (19, 4, 10, "stream")),
    "a streamed response": (
        events({"type": "response.created"}, {"response": {"usage": RESPONSE, "tools": [TOOL]}}),
        (36, 3, 87, "stream"),
    ),
    "streamed messages": (
        events(
            {"message": {"usage": {"input_tokens": 7, "cache_creation_input_tokens": 3, "output_tokens": 1}}},
            {"type": "message_delta", "usage": {"output_tokens": 5}},
        ),
        (10, None, 5, "stream"),  # it tells of what was cached only where something was
    ),
    "llama.cpp's streams": (events(WORD, {"choices": [], "timings": TIMINGS}), (19, 5, 10, "stream")),
    "a stream without a report": (events(WORD, WORD), (None, None, None, "stream")),
    "a refusal": (answer(400, b'{"usage": {"prompt_tokens": 9}}'), (None, None, None, None)),
}


@pytest.fixture(scope="module")
def model(background: Background) -> Iterator[ModelServer]:
    with start_model_server(background) as model:
        yield model


@pytest.fixture(scope="module")
def counting(
    model: ModelServer, background: Background, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningGateway]:
    """Entries whose answers are held, pass as they come, or have no tokens."""
    folder: Path = tmp_path_factory.mktemp("counting")
    port = urlsplit(model.url).port
    assert port
    held = ServedRoute("held", "model", "/", (), counts_tokens=True)
    passed = ServedRoute("passed", "model", "/", (), streams=True, counts_tokens=True)
    uncounted = ServedRoute("uncounted", "model", "/", ())
    fresh = replace(held, name="fresh")
    gateway = Gateway((Upstream("model", (port,)),), (held, passed, uncounted, fresh))
    with start_gateway(folder, background, gateway) as running:
        yield running


def count(counting: RunningGateway, path: str) -> Counted:
    line = counting.logged(counting.call(path, b"{}").header("x-request-id"))
    return line["tokens_in"], line["tokens_cached"], line["tokens_out"], line["answer"]


@pytest.mark.parametrize("shape", SHAPES)
def test_what_a_server_reports_is_in_the_log(
    counting: RunningGateway, model: ModelServer, shape: str
) -> None:
    model.answering, counted = SHAPES[shape]
    assert [count(counting, "/held"), count(counting, "/passed")] == [counted, counted]


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": 19, "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 3}},
        {"input_tokens": 19, "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 3}},
        {"input_tokens": 12, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 3},
    ],
)
def test_what_a_cache_writes_is_in_the_log(
    counting: RunningGateway, model: ModelServer, usage: dict[str, Any]
) -> None:
    model.answering = whole(usage=usage)
    line = counting.logged(counting.call("/held", b"{}").header("x-request-id"))
    assert (line["tokens_in"], line["tokens_cached"], line["tokens_cache_writes"]) == (19, 4, 3)


def test_the_first_word_of_a_stream_comes_after_its_headers(
    counting: RunningGateway, model: ModelServer
) -> None:
    comment, word = b": begun\n\n", b"data: {}\n\n"
    has_begun, is_read = threading.Event(), threading.Event()
    sent: list[float] = []

    async def speak_late(request: web.Request, _body: bytes) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(comment)
        assert await asyncio.to_thread(has_begun.wait, 30)
        sent.append(time.time())
        await response.write(word)
        assert await asyncio.to_thread(is_read.wait, 30)
        await response.write(word)
        return response

    model.answering = speak_late
    with contextlib.closing(counting.connect()) as connection:
        connection.request("POST", "/passed", b"{}")
        answered = connection.getresponse()
        assert answered.read(len(comment)) == comment
        has_begun.set()
        assert answered.read(len(word)) == word
        came = time.time()
        is_read.set()
        assert answered.read() == word
    line = counting.logged(answered.headers["x-request-id"])
    assert int(sent[0] * 1000) <= int(line["first_word"]) <= int(came * 1000)
    wait = find_usual_wait([json.dumps(line).encode()], 0.0)
    assert wait is not None
    assert 0 < round(wait * 1000) <= line["milliseconds"] + 1  # both are whole milliseconds


@pytest.mark.parametrize("shape", ["a chat", "embeddings", "a refusal"])
def test_what_is_no_stream_has_no_first_word(
    counting: RunningGateway, model: ModelServer, shape: str
) -> None:
    model.answering = SHAPES[shape][0]
    line = counting.logged(counting.call("/passed", b"{}").header("x-request-id"))
    assert line["first_word"] is None


def test_an_entry_without_tokens_has_none(counting: RunningGateway, model: ModelServer) -> None:
    model.answering = SHAPES["a chat"][0]
    assert count(counting, "/uncounted") == (None, None, None, None)


def wait_for_tokens(
    counting: RunningGateway, background: Background, model: str, wanted: dict[tuple[str, bool], int]
) -> None:
    """Waits until Envoy's statistics of an entry say this, by kind and whether it is estimated."""

    def sums() -> dict[tuple[str, bool], int]:
        tokens = parse_counted(background.run(counting.envoy.traffic())).tokens
        return {(each.kind, each.estimated): each.count for each in tokens if each.model == model}

    wait_until(lambda: sums() == wanted, "they are added up")


def test_statistics_add_up_what_is_reported_and_the_bytes_of_the_rest(
    counting: RunningGateway, model: ModelServer, background: Background
) -> None:
    for shape in ("a chat", "messages", "an answer without a report", "a refusal"):
        model.answering = SHAPES[shape][0]
        counting.call("/fresh", b"x" * 40)

    reported = {("in", False): 46, ("cached", False): 24, ("out", False): 15}
    estimated = {("in", True): 10, ("out", True): len(json.dumps({"choices": []}, indent=1)) // 4}
    wait_for_tokens(counting, background, "fresh", {**reported, **estimated})


WORDS = b"data: " + b"x" * 994 + b"\n\n"
REPORT = b'data: {"usage": {"prompt_tokens": 19, "completion_tokens": 10}}\n\n'
REPORTED = Tokens(19, 0, 10)
MOST_BYTES = 1024 * 1024
LONG = b"x" * (MOST_BYTES + 4)


async def leave(request: web.Request, _body: bytes) -> web.StreamResponse:
    """Breaks off."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


ODD_ENDS: dict[str, Answering] = {
    "held-empty": answer(200, b""),
    "held-long": answer(200, LONG),
    "held-too-long": streams(LONG),
    "held-cut": exit_midway,
    "held-slow": streams(b'{"choices"', then=hang),
    "passed-empty": answer(204, b""),
    "passed-cut": streams(WORDS, then=leave),
    "passed-cut-late": streams(REPORT, then=leave),
    "passed-left": streams(WORDS, then=hang),
    "passed-left-late": streams(REPORT, then=hang),
}
"""By the entries that answer so: one answer each."""


@pytest.fixture(scope="module")
def ending(
    model: ModelServer, background: Background, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningGateway]:
    """An entry for each odd end of an answer."""
    port = urlsplit(model.url).port
    assert port
    held = ServedRoute("held", "model", "/", (), counts_tokens=True)
    routes = (replace(held, name=name, streams=name.startswith("passed")) for name in ODD_ENDS)
    gateway = Gateway((Upstream("model", (port,)),), tuple(routes))
    folder, limits = tmp_path_factory.mktemp("ending"), Limits(response_bytes=MOST_BYTES)
    with start_gateway(folder, background, gateway, limits=limits, seconds=1) as running:
        yield running


@pytest.mark.parametrize("name", ODD_ENDS)
def test_statistics_say_of_an_odd_end_what_the_log_says(
    ending: RunningGateway, model: ModelServer, background: Background, name: str
) -> None:
    model.answering = ODD_ENDS[name]
    with contextlib.closing(ending.connect()) as connection:
        connection.request("POST", f"/{name}", b"x" * 40)
        response = connection.getresponse()
        with contextlib.suppress(http.client.IncompleteRead):
            response.read(len(REPORT) if "left" in name else None)
    line = ending.logged(response.headers["x-request-id"])
    call = parse_call(json.dumps(line).encode())
    assert call is not None
    assert (call.tokens == REPORTED) == name.endswith("late")
    assert bool(call.tokens.estimated) == (not name.endswith("late"))
    estimated = call.tokens.estimated > 0
    sums = {("in", estimated): call.tokens.read, ("out", estimated): call.tokens.written}
    wait_for_tokens(ending, background, name, sums)


def test_nothing_is_noted_of_the_next_call_on_a_connection(
    counting: RunningGateway, model: ModelServer
) -> None:
    model.answering = SHAPES["a chat"][0]
    with contextlib.closing(counting.connect()) as connection:
        connection.request("POST", "/held", b"{}")
        assert read(connection).status == 200
        connection.request("POST", "/uncounted", b"{}")
        line = counting.logged(read(connection).header("x-request-id"))
    assert [line[name] for name in ("tokens_in", "tokens_cached", "tokens_out", "answer")] == [None] * 4
