from __future__ import annotations

import gzip
import hashlib
import http.client
import json
import random
import socket
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.plan.types import BODY_LIMIT_BYTES
from support.odd_server import GZIPPED

if TYPE_CHECKING:
    from support.running_gateway import RunningGateway

RANDOM = random.Random(0)  # noqa: S311
BODIES = {
    "empty": ("application/json", b""),
    "text": ("text/plain; charset=utf-8", "äöü 你好 \u202e🙂".encode()),
    "not UTF-8": ("application/json", b'{"a": "\xff\x00\r\n"}'),
    "npy": ("application/x-npy", b"\x93NUMPY\x01\x00" + RANDOM.randbytes(1000)),
    "png": ("image/png", b"\x89PNG\r\n\x1a\n" + RANDOM.randbytes(1000)),
    "gzip": ("application/gzip", gzip.compress(b"x" * 1000, mtime=0)),
    "5 MB": ("application/octet-stream", RANDOM.randbytes(5_000_000)),
    "the largest": ("application/octet-stream", RANDOM.randbytes(BODY_LIMIT_BYTES)),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", BODIES)
def test_a_body_passes_byte_for_byte_both_ways(gateway: RunningGateway, kind: str) -> None:
    content_type, body = BODIES[kind]
    answer = gateway.call("/same", body, {"Content-Type": content_type})
    assert (answer.status, answer.header("content-type")) == (200, content_type)
    assert answer.body == body


@pytest.mark.slow
@pytest.mark.parametrize("pieces", [[b"a"], [b"", b"ab", b"c" * 100_000], [b"x" * 1_000_000] * 5])
def test_a_chunked_body_arrives_whole_with_its_length(gateway: RunningGateway, pieces: list[bytes]) -> None:
    echo = gateway.call("/echo", iter(pieces)).json
    assert echo["sha256"] == hashlib.sha256(b"".join(pieces)).hexdigest()
    assert ["content-length", str(sum(map(len, pieces)))] in echo["headers"]


@pytest.mark.slow
def test_a_zipped_answer_is_not_unzipped(gateway: RunningGateway) -> None:
    assert gateway.call("/zipped", headers={"Accept-Encoding": "gzip"}).body == GZIPPED


@pytest.mark.slow
@pytest.mark.parametrize("name", ["teapot", "broken"])
def test_a_models_own_status_and_message_pass(gateway: RunningGateway, name: str) -> None:
    answer = gateway.call(f"/{name}", b"{}")
    assert answer.status == {"teapot": 418, "broken": 500}[name]
    assert answer.body == b"as it is: \xff"


@pytest.mark.slow
def test_a_redirect_is_not_followed(gateway: RunningGateway) -> None:
    assert gateway.call("/redirect").status == 302


@pytest.mark.slow
def test_an_http_1_0_client_is_served(gateway: RunningGateway) -> None:
    answer = gateway.raw(b"POST /same HTTP/1.0\r\nContent-Type: a/b\r\nContent-Length: 2\r\n\r\nhi")
    assert (answer.status, answer.body) == (200, b"hi")


@pytest.mark.slow
def test_a_client_that_asks_to_continue_is_told_to(gateway: RunningGateway) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port), 30) as connection:
        connection.sendall(
            b"POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        )
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"hi")
        response = http.client.HTTPResponse(connection)
        response.begin()
        echo = json.loads(response.read())
    assert "expect" not in dict(echo["headers"])
