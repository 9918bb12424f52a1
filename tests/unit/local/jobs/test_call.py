"""How the gateway is called in the place of a caller, against a socket that answers as the test says."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.admission.terms import REFUSED, UNANSWERED
from centralized_ml_api.local.jobs.call import (
    BrokenAnswerError,
    BrokenCallError,
    UnsentError,
    build_proxy_line,
    call_gateway,
    is_for_now,
)
from centralized_ml_api.local.jobs.types import Answered, Asked
from support.story import story

if TYPE_CHECKING:
    from pathlib import Path

ASKED = Asked(
    "red", "/chat?a=b", "chat", (("accept", "*/*"), ("x-one", "é")), "10.0.0.7:4711", "api.example:8080"
)
BODY = bytes(range(256)) * 3000  # larger than a piece


class Gateway:
    """Reads one call and answers with these bytes, then closes."""

    def __init__(self, folder: Path, answer: bytes) -> None:
        self.socket, self.answer = folder / "jobs.sock", answer
        self.request = folder / "request"
        self.request.write_bytes(BODY)
        self.got = b""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.got = await reader.readuntil(b"\r\n\r\n") + await reader.readexactly(len(BODY))
        writer.write(self.answer)
        writer.close()

    async def call(self, asked: Asked = ASKED) -> tuple[Answered, bytes]:
        async with (
            await asyncio.start_unix_server(self.serve, self.socket),
            call_gateway(self.socket, asked, self.request) as (answered, body),
        ):
            return answered, b"".join([piece async for piece in body])


def test_a_call_goes_out_as_the_team_from_the_callers_address(tmp_path: Path) -> None:
    async def tell() -> None:
        gateway = Gateway(tmp_path, b"HTTP/1.1 204 No Content\r\n\r\n")
        assert await gateway.call() == (Answered(204, ()), b"")
        head, _, body = gateway.got.partition(b"\r\n\r\n")
        assert body == BODY
        assert head.decode().split("\r\n") == [
            "PROXY TCP4 10.0.0.7 127.0.0.1 4711 8080",
            "POST /chat?a=b HTTP/1.1",
            "host: api.example:8080",
            f"content-length: {len(BODY)}",
            "connection: close",
            "x-mlapi-team: red",
            "accept: */*",
            "x-one: é",
        ]

    story(tell)


def test_without_teams_no_team_is_told(tmp_path: Path) -> None:
    async def tell() -> None:
        gateway = Gateway(tmp_path, b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        assert (await gateway.call(Asked("", "/chat", "chat", ())))[1] == b"ok"
        assert b"x-mlapi-team" not in gateway.got

    story(tell)


@pytest.mark.parametrize(
    ("caller", "host", "line"),
    [
        ("10.0.0.7:4711", "[::1]:81", b"PROXY TCP4 10.0.0.7 127.0.0.1 4711 81\r\n"),
        ("[fe80::1]:80", "api.example", b"PROXY TCP6 fe80::1 ::1 80 80\r\n"),
        ("[fe80::1%2]:80", "api.example", b"PROXY TCP6 fe80::1 ::1 80 80\r\n"),
        ("10.0.0.7:4711", "api:65535", b"PROXY TCP4 10.0.0.7 127.0.0.1 4711 65535\r\n"),
        ("10.0.0.7:4711", "api:65536", b"PROXY TCP4 10.0.0.7 127.0.0.1 4711 80\r\n"),
        ("", "api", b"PROXY UNKNOWN\r\n"),
        ("-", "api", b"PROXY UNKNOWN\r\n"),
        ("10.0.0.7", "api", b"PROXY UNKNOWN\r\n"),
        ("10.0.0.7:http", "api", b"PROXY UNKNOWN\r\n"),
        ("a b:1\r\nX:1", "api", b"PROXY UNKNOWN\r\n"),
    ],
)
def test_the_first_line_says_who_calls(caller: str, host: str, line: bytes) -> None:
    assert build_proxy_line(Asked("", "/", "", (), caller, host)) == line


def test_an_answer_keeps_its_headers_but_for_those_of_its_way(tmp_path: Path) -> None:
    async def tell() -> None:
        head = b"HTTP/1.1 418 I'm a teapot\r\nContent-Type: text/plain\r\nX-Many: a\r\nx-many: b\r\n"
        way = b"date: now\r\nserver: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n"
        chunks = b"4;more=1\r\none \r\n3\r\ntwo\r\n0\r\n\r\n"
        answered, body = await Gateway(tmp_path, head + way + chunks).call()
        kept = (("content-type", "text/plain"), ("x-many", "a"), ("x-many", "b"))
        assert (answered, body) == (Answered(418, kept), b"one two")

    story(tell)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", BrokenCallError),
        (b"HTTP/1.1 200 OK\r\ncontent-le", BrokenCallError),
        (b"what?\r\n\r\n", BrokenCallError),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * 70_000 + b"\r\n\r\n", BrokenCallError),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhalf", BrokenAnswerError),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n", BrokenAnswerError),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nhalf", BrokenAnswerError),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nx\r\n", BrokenAnswerError),
    ],
)
def test_what_breaks_off_is_told(tmp_path: Path, answer: bytes, error: type[Exception]) -> None:
    async def tell() -> None:
        with pytest.raises(error):
            await Gateway(tmp_path, answer).call()

    story(tell)


def test_a_gateway_that_is_away_has_got_nothing(tmp_path: Path) -> None:
    async def tell() -> None:
        (tmp_path / "request").write_bytes(b"")
        with pytest.raises(UnsentError):
            async with call_gateway(tmp_path / "jobs.sock", ASKED, tmp_path / "request"):
                pass

    story(tell)


@pytest.mark.parametrize(
    "ending",
    [
        "- - direct_response",
        "UH - no_healthy_upstream",
        "UF,URX - upstream_reset_before_response_started{connection_failure}",
        "UO - upstream_reset_before_response_started{overflow}",
        f"- {REFUSED}:model_waking lua_response",
        f"- {UNANSWERED} lua_response",
        "- - failed_to_inject_credential",
        "- - via_upstream true",
    ],
)
def test_a_refusal_of_the_gateways_own_is_for_now(ending: str) -> None:
    assert is_for_now(503, ending)
    assert not is_for_now(429, ending), "another status is the answer"


@pytest.mark.parametrize(
    "ending",
    [
        "",
        "-",
        "- - via_upstream",
        "- - via_upstream -",
        "LR - upstream_reset",
        "UH,UC - x",
        "- - direct_response_not",
    ],
)
def test_what_may_have_reached_a_model_is_the_answer(ending: str) -> None:
    assert not is_for_now(503, ending)


def test_how_a_call_ended_is_no_header_of_its_answer(tmp_path: Path) -> None:
    async def tell() -> None:
        head = b"HTTP/1.1 503 No\r\nretry-after: 2\r\nx-mlapi-ending: - - direct_response\r\n\r\n"
        answered, _ = await Gateway(tmp_path, head).call()
        assert answered == Answered(503, (("retry-after", "2"),), is_for_now=True)

    story(tell)
