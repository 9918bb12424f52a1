"""Bytes that two servers could read as different requests: they are refused, or go on in one form alone."""

from __future__ import annotations

import re
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.admission.terms import TEAM_HEADER
from centralized_ml_api.local.gateway import TeamAccess
from support.running_gateway import start_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.local.gateway import Gateway
    from support.background import Background
    from support.running_gateway import RunningGateway

DEADLINE_SECONDS = 20.0
RED, BLUE = "red-now", "blue-now"
HIDDEN = b"POST /teapot HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
TWO_LENGTHS = [
    "Content-Length : 2",
    "Content-Length: +2",
    "Content-Length: 0x2",
    "Content-Length: -2",
    "Content-Length: 2, 3",
    "Content-Length: 2\r\nContent-Length: 2",
    "Content-Length: 2\r\nContent-Length: 3",
    "Content-Length: 2\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding: chunked\r\nContent-Length: 2",
    "Transfer-Encoding : chunked",
    "Transfer-Encoding: xchunked",
    "Transfer-Encoding: identity",
    "Transfer-Encoding: chunked, identity",
    "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding: \x0bchunked",
    "X: a\0Content-Length: 2",
    "\tContent-Length: 2",
]
CHUNKED_WITH_MORE = b"Transfer-Encoding: chunked\r\n\r\n2;extension=1\r\n{}\r\n0\r\n"


@pytest.fixture(scope="module")
def keyed(
    tmp_path_factory: pytest.TempPathFactory, background: Background, served: Gateway
) -> Iterator[RunningGateway]:
    teams = (TeamAccess("red", (RED,), models=("function",)), TeamAccess("blue", (BLUE,)))
    with start_gateway(tmp_path_factory.mktemp("keyed"), background, replace(served, teams=teams)) as running:
        yield running


def request(path: str, *headers: str) -> bytes:
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: x", *headers, "", ""]).encode()


def statuses_until_closed(port: int, sent: bytes) -> list[int]:
    """Of everything that is answered before the gateway closes the connection."""
    with socket.create_connection(("127.0.0.1", port), DEADLINE_SECONDS) as connection:
        connection.sendall(sent)
        said = b""
        while piece := connection.recv(65536):
            said += piece
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3})", said)]


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/echo", "/function"])
def test_a_length_that_can_be_read_in_two_ways_is_refused_with_all_that_follows(
    gateway: RunningGateway, path: str
) -> None:
    sent = [request(path, framing) + b"0\r\n\r\n" + HIDDEN for framing in TWO_LENGTHS]
    with ThreadPoolExecutor(len(sent)) as callers:
        heard = callers.map(lambda bytes_sent: statuses_until_closed(gateway.port, bytes_sent), sent)
    statuses = dict(zip(TWO_LENGTHS, heard, strict=True))
    taken = {framing: answered for framing, answered in statuses.items() if answered not in ([400], [501])}
    assert taken == {}, "one answer that refuses, and nothing of what came behind it"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("written", "arrives"),
    [
        ("X-Custom: a\r\n b", "a b"),
        ("X-Custom: a\r\n\tContent-Length: 9", "a\tContent-Length: 9"),
        ("X-Custom: a\rContent-Length: 9", "aContent-Length: 9"),
    ],
)
@pytest.mark.parametrize("path", ["/echo", "/function"])
def test_a_header_over_several_lines_goes_on_as_one(
    gateway: RunningGateway, path: str, written: str, arrives: str
) -> None:
    headers = gateway.raw(request(path, written, "Content-Length: 2") + b"{}").json["headers"]
    assert [value for name, value in headers if name == "x-custom"] == [arrives]
    assert [value for name, value in headers if name == "content-length"] == ["2"]


@pytest.mark.slow
def test_nothing_behind_a_chunked_body_becomes_a_header(gateway: RunningGateway) -> None:
    trailers = b"X-Custom: late\r\nAuthorization: Bearer late\r\n\r\n"
    answer = gateway.raw(b"POST /function HTTP/1.1\r\nHost: x\r\n" + CHUNKED_WITH_MORE + trailers)
    assert answer.json["length"] == 2
    assert "late" not in str(answer.json["headers"])


@pytest.mark.slow
@pytest.mark.parametrize(
    "shown",
    [
        ("X-Api-Key: nonsense", f"X-Api-Key: {BLUE}"),
        (f"X-Api-Key: {RED}", f"X-Api-Key: {BLUE}"),
        ("Authorization: Bearer nonsense", f"Authorization: Bearer {BLUE}"),
        (f"X-Api-Key: {RED}", f"Authorization: Bearer {BLUE}"),
        (f"X-Api-Key: {RED}", f"{TEAM_HEADER}: blue"),
        (f"X-Api-Key: {RED}", f"Connection: {TEAM_HEADER}, x-api-key"),
        (f"X_Api_Key: {BLUE}",),
        (f"X-Api-Key: {RED}\r\n ,{BLUE}",),
        (f"Cookie: x-api-key={BLUE}",),
    ],
)
def test_no_second_key_or_name_opens_what_the_first_does_not(
    keyed: RunningGateway, shown: tuple[str, ...]
) -> None:
    answer = keyed.raw(request("/echo", *shown, "Content-Length: 2") + b"{}")
    assert answer.status in {401, 403}


@pytest.mark.slow
def test_no_key_in_the_address_opens_anything(keyed: RunningGateway) -> None:
    for path in (f"/echo?x-api-key={BLUE}", f"/echo?api_key={BLUE}", f"http://{BLUE}@x/echo"):
        assert keyed.raw(request(path, "Content-Length: 0")).status == 401


@pytest.mark.slow
def test_a_key_given_twice_reaches_nobody_either(keyed: RunningGateway) -> None:
    shown = (f"X-Api-Key: {BLUE}", f"Authorization: Bearer {RED}", "Authorization: Bearer third")
    answer = keyed.raw(request("/function", *shown, "Content-Length: 2") + b"{}")
    assert [word for word in (BLUE, RED, "third") if word in str(answer.json)] == []


@pytest.mark.slow
@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/0.9", "HTTP/1.9", "HTTP/2.0", "HTTP/3.0"])
def test_any_other_version_is_http_1_0_and_what_follows_is_not_read(
    gateway: RunningGateway, version: str
) -> None:
    sent = request("/echo", "Content-Length: 2").replace(b"HTTP/1.1", version.encode()) + b"{}"
    assert statuses_until_closed(gateway.port, sent + HIDDEN) == [200]
