from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from support.running_gateway import RunningGateway

NOT_QUITE = [
    "/",
    "//echo",
    "/echo/",
    "/echo//",
    "/Echo",
    "/ECHO",
    "/./echo",
    "/x/../echo",
    "/%2e%2e/echo",
    "/x/%2e%2e/echo",
    "/..%2fecho",
    "/echo%2F",
    "/%65cho",
    "/echo%00",
    "/echo%20",
    "/echo;x=1",
    "/echo/status/418",
    "/echo\\",
    "/refused/../echo",
    "/echo%3Fx",
]


@pytest.mark.slow
@pytest.mark.parametrize("path", NOT_QUITE)
def test_a_path_that_is_not_quite_a_models_is_404(gateway: RunningGateway, path: str) -> None:
    answer = gateway.raw(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode())
    assert (answer.status, answer.error["code"]) == (404, "unknown_path")


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/echo", "/echo?", "/echo?a=1", "/echo?a=1?b=/status/500", "/echo?%0d%0a"])
def test_the_model_sees_its_own_path_without_the_query(gateway: RunningGateway, path: str) -> None:
    assert gateway.call(path).json["path"] == "/echo"


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/query", "/query?a=1"])
def test_a_query_of_the_models_own_path_stays(gateway: RunningGateway, path: str) -> None:
    assert gateway.call(path).json["path"] == "/echo?api-version=1%202"


@pytest.mark.slow
def test_an_absolute_address_is_a_path_too(gateway: RunningGateway) -> None:
    answer = gateway.raw(b"POST http://else.example/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
    assert answer.json["path"] == "/echo"


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/echo", "/refused", "/health", "/nope", "/", "/a/b%2F?x"])
def test_a_preflight_needs_no_path_that_exists(gateway: RunningGateway, path: str) -> None:
    asking = "Origin: https://page.example\r\nAccess-Control-Request-Method: POST"
    answer = gateway.raw(f"OPTIONS {path} HTTP/1.1\r\nHost: x\r\n{asking}\r\n\r\n".encode())
    assert (answer.status, answer.body) == (204, b"")
    assert answer.header("access-control-allow-origin") == "*"
    assert answer.header("access-control-allow-methods") == "GET, HEAD, POST, DELETE, OPTIONS"
    assert answer.header("access-control-allow-headers") == "*, Authorization"
    assert answer.header("access-control-max-age") == "7200"
    assert answer.header("x-request-id")
