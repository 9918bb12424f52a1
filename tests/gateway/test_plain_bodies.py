"""Bodies that Envoy rewrites by itself, odd ones among them: the server gets what the service would write."""

from __future__ import annotations

import gzip
import json
import random
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.api.openai import CHAT_PATH
from centralized_ml_api.local.admission.envoy_connection import render_response
from centralized_ml_api.local.admission.exchange import Response
from centralized_ml_api.local.admission.terms import EntryTerms
from centralized_ml_api.local.gateway import Gateway, ServedRoute, TeamAccess, Upstream
from centralized_ml_api.plan.event import Spending
from support.odd_admission import OddAdmission, serving_oddly
from support.odd_server import OddServer
from support.plain_bodies import rewrite_as_service
from support.running_gateway import RunningGateway, read, start_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.background import Background

pytestmark = pytest.mark.slow  # an Envoy for all of them

ENTRY = EntryTerms(model="org/own", body_rules="provider", max_output_tokens=500, takes_stream_options=True)
ORDINARY = b'{"model": "chat", "messages": [{"role": "user", "content": "a \\"b\\" {c}"}], "stream": false}'
REFUSED = Response({"x-verdict": "refuse", "x-said": "admission_refused:asked", "x-status": "418"}, b"{")


def nest(levels: int) -> bytes:
    return b'{"model": "chat", "x": %b1%b}' % (b"[" * levels, b"]" * levels)


NUMBERS = (
    *("1e999", "1e400", "9223372036854775808", "1" * 400, "1" * 4_400, "0." + "1" * 5_000),
    *("NaN", "Infinity", "-", "01", "1.", ".5", "+1", "0x1"),
)
VALUES = (
    *NUMBERS,
    *("tru", '"\\ud800"', '"\\udc00\\ud800"', '"\\u12"', '"\\x"', '"\t"', '"\x7f"'),
    *("'a'", "[1,]", '{"a":1,}', "{a:1}", '{"a"}', '"\\u0000"', "[" + "{}," * 2_000 + "{}]"),
    *("{" + ",".join(f'"k{number}":1' for number in range(count)) + "}" for count in (999, 1_001)),
)
CHARACTERS = (
    *(b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80"),
    *("\u00e9\u2028\U0001f600".encode(), b"\xe2\x82"),
)
MEMBERS = (
    *('"model": "chat"', '"Model": "chat"', '"mod\\u0065l": "chat"', '" model": "chat"', '"model": null'),
    *('"max_tokens": 5', '"max_tokens": 501', '"max_tokens": "5"', '"max_tokens": 5, "max_tokens": 501'),
    *('"Max_Tokens": 501', '"max_tokens ": 501', '"max_tokens": 5e0'),
    *('"n": 1, "n": 100', '"N": 1', '"n_predict": -1'),
    *('"stream": true', '"stream": true, "stream": false', '"stream": true, "stream_options": null'),
    '"models": ["x"]',
)


def build_bodies() -> Iterator[bytes]:
    """Yields bodies of which some can be read in more than one way, or in none."""
    yield from (ORDINARY[:length] for length in range(0, len(ORDINARY), 3))
    yield from (ORDINARY + after for after in (b"\0", b"\0}", b" ", b"\n", b"x", b"{}", b"//"))
    yield from (before + ORDINARY for before in (b"\xef\xbb\xbf", b" \r\n", b"\0", b"[", b"/**/"))
    yield from map(nest, (1, 90, 99, 100, 101, 1_100, 3_000))
    yield gzip.compress(ORDINARY)
    for value in VALUES:
        yield f'{{"model": "chat", "x": {value}}}'.encode()
        yield f'{{"x": {value}, "model": "chat"}}'.encode()
    for odd in CHARACTERS:
        yield b'{"model": "chat", "x": "%b"}' % odd
        yield b'{"model": "chat", "%b": 1}' % odd
    for members in MEMBERS:
        yield f'{{"model": "chat", {members}}}'.encode()
        yield f'{{{members}, "model": "chat"}}'.encode()
    chosen = random.Random(7)  # noqa: S311  # the same each time
    for _ in range(400):
        body = bytearray(ORDINARY)
        for _ in range(chosen.choice((1, 1, 2))):
            body[chosen.randrange(len(body))] = chosen.choice(b'"\\{}[]:, \0\x80aM1e-')
        yield bytes(body)


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory, background: Background
) -> Iterator[tuple[RunningGateway, OddAdmission]]:
    with OddServer() as server:
        route = ServedRoute("chat", "odd", "/same", (), admission=ENTRY)
        teams = (TeamAccess("red", ("red",)), TeamAccess("blue", ("blue",), spending=Spending(tokens=9)))
        served = {CHAT_PATH: (route,)}
        gateway = Gateway((Upstream("odd", (server.port,)),), (route,), by_model=served, teams=teams)
        with (
            start_gateway(tmp_path_factory.mktemp("gateway"), background, gateway) as running,
            serving_oddly(running) as service,
        ):
            service.otherwise = render_response(REFUSED)
            yield running, service


def call(
    gateway: RunningGateway, body: bytes, *, path: str = CHAT_PATH, key: str = "red"
) -> tuple[int, bytes]:
    answer = gateway.call(path, body, {"x-api-key": key})
    return answer.status, answer.body


@pytest.mark.parametrize("path", [CHAT_PATH, f"/chat{CHAT_PATH}"])
def test_no_odd_body_reaches_the_server_otherwise_than_the_service_would_write_it(
    running: tuple[RunningGateway, OddAdmission], path: str
) -> None:
    gateway, _ = running
    unasked = 0
    connection = gateway.connect()
    for body in build_bodies():
        connection.request("POST", path, body, {"x-api-key": "red"})
        answer = read(connection)
        if answer.status == 200:
            unasked += 1
            written = rewrite_as_service(body, ENTRY)
            assert written is not None, f"the service refuses {body!r}"
            assert answer.body == written[0]
    connection.close()
    assert unasked > 50, "most of them are not that odd"


def test_an_ordinary_call_is_not_asked_about(running: tuple[RunningGateway, OddAdmission]) -> None:
    gateway, service = running
    service.asked.clear()
    status, body = call(gateway, ORDINARY)
    assert (status, json.loads(body)) == (
        200,
        {**json.loads(ORDINARY), "model": "org/own", "max_tokens": 500},
    )
    streamed = ORDINARY.replace(b"false", b"true")
    assert json.loads(call(gateway, streamed)[1])["stream_options"] == {"include_usage": True}
    assert not service.asked


def test_what_is_limited_or_was_not_read_by_envoy_is_asked_about(
    running: tuple[RunningGateway, OddAdmission],
) -> None:
    gateway, _ = running
    assert call(gateway, ORDINARY, key="blue")[0] == 418, "this team has limits"
    assert call(gateway, ORDINARY, path="/chat")[0] == 418, "no filter has read this body"
