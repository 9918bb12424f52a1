from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.plan.types import BODY_LIMIT_BYTES

if TYPE_CHECKING:
    from support.running_gateway import Answer, RunningGateway

REFUSED = 'add a "local" block: 100% sure, %REQ(host)% \\ é \u202e </script>'


def assert_shape(gateway: RunningGateway, answer: Answer, error: errors.ApiError) -> None:
    """The contract's error shape, with CORS headers and one request id everywhere."""
    assert answer.status == error.status, answer
    assert answer.header("content-type") == "application/json"
    assert answer.header("access-control-allow-origin") == "*"
    assert answer.header("access-control-expose-headers") == "*"
    assert {name for name, _ in answer.headers if name == "server" or name.startswith("x-envoy")} == set()
    assert (answer.error["type"], answer.error["code"]) == (error.type, error.code)
    assert answer.error.keys() == {"message", "type", "code", "request_id"}
    assert answer.error["request_id"] == answer.header("x-request-id")
    line = gateway.logged(answer.header("x-request-id"))
    assert line["status"] == error.status


def head(line: str, *headers: str) -> bytes:
    return "\r\n".join([line, "Host: x", *headers, "", ""]).encode()


@pytest.mark.slow
def test_an_unknown_path_lists_those_that_exist(gateway: RunningGateway) -> None:
    answer = gateway.call("/nope")
    assert_shape(gateway, answer, errors.UNKNOWN_PATH)
    for path in ("POST /echo", "POST /refused", "POST /function", "GET /health"):
        assert path in answer.error["message"]


@pytest.mark.slow
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"])
@pytest.mark.parametrize("path", ["/echo", "/function?x", "/refused"])
def test_another_method_is_405_with_allow(gateway: RunningGateway, method: str, path: str) -> None:
    answer = gateway.call(path, method=method)
    assert (answer.status, answer.header("allow")) == (405, "POST, OPTIONS")
    if method != "HEAD":
        assert_shape(gateway, answer, errors.METHOD_NOT_ALLOWED)


@pytest.mark.slow
def test_a_refused_model_is_501_with_its_message_to_the_letter(gateway: RunningGateway) -> None:
    answer = gateway.call("/refused", b"{}")
    assert_shape(gateway, answer, errors.NOT_SERVED)
    assert answer.error["message"] == REFUSED


@pytest.mark.slow
def test_a_body_over_the_limit_is_413_naming_the_limit(gateway: RunningGateway) -> None:
    answer = gateway.call("/echo", bytes(BODY_LIMIT_BYTES + 1))
    assert_shape(gateway, answer, errors.BODY_TOO_LARGE)
    assert "6 MB" in answer.error["message"]


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/echo", "/function", "/stream"])
def test_a_chunked_body_over_the_limit_is_413(gateway: RunningGateway, path: str) -> None:
    pieces = iter([bytes(1024 * 1024)] * 6 + [b"x"])
    answer = gateway.call(path, pieces)
    assert_shape(gateway, answer, errors.BODY_TOO_LARGE)


@pytest.mark.slow
@pytest.mark.parametrize(
    "request_bytes",
    [
        b"garbage\r\n\r\n",
        b"POST /echo HTTP/1.1\r\n\r\n",
        head("POST /echo HTTP/1.1", "no colon"),
        head("POST /echo HTTP/1.1", "Content-Length: 3", "Content-Length: 4"),
        head("POST /echo HTTP/1.1", "Content-Length: 3", "Transfer-Encoding: chunked"),
        head("POST /echo HTTP/1.1", "X: a\0b"),
        head("POST /echo#part HTTP/1.1"),
        head("NONSENSE /echo HTTP/1.1"),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_malformed_http_is_400(gateway: RunningGateway, request_bytes: bytes) -> None:
    assert_shape(gateway, gateway.raw(request_bytes), errors.MALFORMED_REQUEST)


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/echo", "/function", "/stream", "/starting"])
@pytest.mark.parametrize("chunks", [b"zz\r\n", b"2\r\n{}\r\nzz\r\n", b"2\r\n{}\r\n-1\r\n"])
def test_a_malformed_chunk_is_400(gateway: RunningGateway, path: str, chunks: bytes) -> None:
    answer = gateway.raw(head(f"POST {path} HTTP/1.1", "Transfer-Encoding: chunked") + chunks)
    assert_shape(gateway, answer, errors.MALFORMED_REQUEST)


@pytest.mark.slow
def test_an_unknown_transfer_coding_is_501(gateway: RunningGateway) -> None:
    answer = gateway.raw(head("POST /echo HTTP/1.1", "Transfer-Encoding: gzip"))
    assert_shape(gateway, answer, errors.UNKNOWN_TRANSFER_CODING)


@pytest.mark.slow
@pytest.mark.parametrize(
    "headers", [["Big: " + "x" * 70_000], ["Accept: " + "x" * 10_000], ["Many: 1"] * 100]
)
def test_headers_too_large_or_too_many_are_431_naming_both_limits(
    gateway: RunningGateway, headers: list[str]
) -> None:
    answer = gateway.raw(head("POST /echo HTTP/1.1", *headers))
    assert_shape(gateway, answer, errors.HEADERS_TOO_LARGE)
    for limit in ("8 KiB", "100 header lines"):
        assert limit in answer.error["message"]


@pytest.mark.slow
def test_as_many_headers_as_the_limit_pass(gateway: RunningGateway) -> None:
    assert gateway.raw(head("GET /health HTTP/1.1", *["Many: 1"] * 99)).status in {200, 503}


@pytest.mark.slow
def test_headers_that_never_end_are_408(gateway: RunningGateway) -> None:
    answer = gateway.raw(b"POST /echo HTTP/1.1\r\nHost: x\r\n")
    assert_shape(gateway, answer, errors.REQUEST_TIMEOUT)


@pytest.mark.slow
def test_a_body_that_never_ends_is_408(gateway: RunningGateway) -> None:
    answer = gateway.raw(head("POST /echo HTTP/1.1", "Content-Length: 5") + b"{")
    assert_shape(gateway, answer, errors.REQUEST_TIMEOUT)


@pytest.mark.slow
def test_a_websocket_is_403(gateway: RunningGateway) -> None:
    answer = gateway.raw(head("GET /echo HTTP/1.1", "Connection: upgrade", "Upgrade: websocket"))
    assert_shape(gateway, answer, errors.FORBIDDEN)


@pytest.mark.slow
@pytest.mark.parametrize("line", ["CONNECT x:443 HTTP/1.1", "OPTIONS * HTTP/1.1"])
def test_a_request_for_no_path_at_all_is_404(gateway: RunningGateway, line: str) -> None:
    assert_shape(gateway, gateway.raw(head(line)), errors.UNKNOWN_PATH)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["close", "half", "half-chunked", "garbage"])
def test_a_model_that_breaks_off_is_502(gateway: RunningGateway, name: str) -> None:
    assert_shape(gateway, gateway.call(f"/{name}"), errors.MODEL_FAILED)


@pytest.mark.slow
@pytest.mark.parametrize("body", [b"", b"{}", bytes(BODY_LIMIT_BYTES)], ids=len)
def test_an_answer_over_the_limit_is_502_naming_the_limit(gateway: RunningGateway, body: bytes) -> None:
    assert len(gateway.call("/longest", body).body) == 12 * 1024 * 1024
    answer = gateway.call("/too-long", body)
    assert_shape(gateway, answer, errors.ANSWER_TOO_LARGE)
    assert "12 MB" in answer.error["message"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["starting", "gone", "elsewhere-unready"])
def test_a_model_without_a_ready_server_is_503_with_retry_after(gateway: RunningGateway, name: str) -> None:
    answer = gateway.call(f"/{name}", bytes(5_000_000))
    assert_shape(gateway, answer, errors.MODEL_NOT_READY)
    assert answer.header("retry-after") == str(errors.RETRY_AFTER_SECONDS)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["hang", "half-hang"])
def test_a_model_that_is_too_slow_is_504(gateway: RunningGateway, name: str) -> None:
    assert_shape(gateway, gateway.call(f"/{name}"), errors.MODEL_TOO_SLOW)


@pytest.mark.slow
def test_a_server_that_does_not_speak_tls_is_503(gateway: RunningGateway) -> None:
    assert_shape(gateway, gateway.call("/elsewhere-tls"), errors.MODEL_NOT_READY)
