from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from support.odd_server import OddServer
    from support.running_gateway import Answer, RunningGateway

NOBODYS_BUSINESS = {
    "Authorization": "Bearer secret",
    "Proxy-Authorization": "Basic secret",
    "Cookie": "session=secret",
    "X-Api-Key": "secret",
    "X-Amz-Security-Token": "secret",
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Port": "443",
    "Forwarded": "for=203.0.113.7",
    "X-Real-Ip": "203.0.113.7",
    "X-Request-Id": "mine",
    "X-Envoy-Max-Retries": "9",
    "X-Envoy-Upstream-Rq-Timeout-Ms": "1",
    "X-Envoy-Retry-On": "5xx",
    "X-Envoy-Original-Path": "/other",
    "User-Agent": "a browser",
    "Accept-Encoding": "gzip",
    "Origin": "https://page.example",
    "Referer": "https://page.example/x",
    "Traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "Te": "trailers",
    "Content-Typo": "near",
    "Accept-": "near",
    "X-Customs": "near",
    "X-Custo": "near",
}


def headers_of(answer: Answer) -> dict[str, str]:
    headers: list[list[str]] = answer.json["headers"]
    assert len(dict(headers)) == len(headers), f"a header came twice: {headers}"
    return dict(headers)


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "text/csv"]
)
def test_a_server_that_reads_every_body_as_json_is_told_that_it_is(
    gateway: RunningGateway, kind: str
) -> None:
    got = headers_of(gateway.call("/reads-json", b"{}", {"Content-Type": kind}))
    assert got["content-type"] == "application/json"
    assert headers_of(gateway.call("/echo", b"{}", {"Content-Type": kind}))["content-type"] == kind


@pytest.mark.slow
def test_only_content_type_accept_and_the_configured_headers_reach_a_model(gateway: RunningGateway) -> None:
    passing = {
        "CONTENT-TYPE": "a/b",
        "accept": "c/d",
        "x-CUSTOM": "e",
        "Accept-Language": "f",
    }
    got = headers_of(gateway.call("/echo", b"{}", {**passing, **NOBODYS_BUSINESS}))
    assert got == {
        "host": "localhost",
        "content-length": "2",
        "content-type": "a/b",
        "accept": "c/d",
        "x-custom": "e",
        "accept-language": "f",
    }


@pytest.mark.slow
def test_only_the_usual_headers_reach_other_models(gateway: RunningGateway) -> None:
    sent = {"CONTENT-TYPE": "a/b", "accept": "c/d", "X-Custom": "e", **NOBODYS_BUSINESS}
    got = headers_of(gateway.call("/usual?a=b", b"{}", sent))
    assert got == {"host": "localhost", "content-length": "2", "content-type": "a/b", "accept": "c/d"}


@pytest.mark.slow
def test_headers_that_another_route_configured_do_not_pass(gateway: RunningGateway) -> None:
    got = headers_of(gateway.call("/elsewhere", b"", {"X-Custom": "e", "Accept-Language": "f"}))
    assert got.keys() == {"host", "content-length", "content-type"}


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/echo", "/usual"])
def test_without_content_type_a_model_gets_json(gateway: RunningGateway, path: str) -> None:
    sent = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{}}"
    got = headers_of(gateway.raw(sent.encode()))
    assert got["content-type"] == "application/json"


@pytest.mark.slow
def test_a_model_elsewhere_sees_its_own_host(gateway: RunningGateway, odd: OddServer) -> None:
    assert headers_of(gateway.call("/elsewhere", headers={"Host": "evil.example"}))["host"] == (
        f"localhost:{odd.port}"
    )


@pytest.mark.slow
def test_a_client_cannot_steer_envoy(gateway: RunningGateway) -> None:
    steering = {
        "X-Envoy-Upstream-Rq-Timeout-Ms": "1",
        "X-Envoy-Upstream-Alt-Stat-Name": "x",
        "X-Envoy-Retriable-Status-Codes": "500",
        "X-Envoy-Retry-On": "retriable-status-codes",
        "X-Envoy-Max-Retries": "3",
    }
    answer = gateway.call("/broken", headers=steering)
    assert answer.status == 500
    assert gateway.logged(answer.header("x-request-id"))["flags"] == "-"


@pytest.mark.slow
def test_a_function_sees_the_call_as_api_gateway_would_show_it(gateway: RunningGateway) -> None:
    sent = {
        "Authorization": "Bearer x",
        "Cookie": "a=b",
        "User-Agent": "me",
        "X-Forwarded-For": "203.0.113.7",
    }
    forged = {
        "X-Envoy-External-Address": "203.0.113.7",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Port": "1",
        "X-Request-Id": "mine",
    }
    answer = gateway.call("/function?a=1&a=2", b"{}", {**sent, **forged, "Host": "api.example"})
    got = headers_of(answer)
    assert answer.json["path"] == "/function?a=1&a=2"
    assert got == {
        "host": "api.example",
        "accept-encoding": "identity",
        "content-length": "2",
        "authorization": "Bearer x",
        "cookie": "a=b",
        "user-agent": "me",
        "x-forwarded-for": "203.0.113.7,127.0.0.1",
        "x-forwarded-proto": "http",
        "x-forwarded-port": str(gateway.port),
        "x-request-id": answer.header("x-request-id"),
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    "sent", ["GET /echo HTTP/1.1", "POST /echo HTTP/1.1", "POST /nope HTTP/1.1", "POST /starting HTTP/1.1"]
)
def test_the_clients_request_id_is_not_taken(gateway: RunningGateway, sent: str) -> None:
    answer = gateway.raw(f"{sent}\r\nHost: x\r\nX-Request-Id: mine\r\nContent-Length: 0\r\n\r\n".encode())
    assert (answer.header("x-request-id") or "").startswith("req-")


@pytest.mark.slow
def test_a_model_that_is_to_see_the_request_id_sees_the_gateways(gateway: RunningGateway) -> None:
    answer = gateway.call("/identified", headers={"X-Request-Id": "mine"})
    assert headers_of(answer)["x-request-id"] == answer.header("x-request-id") != "mine"


@pytest.mark.slow
def test_request_ids_are_never_the_same(gateway: RunningGateway) -> None:
    connection = gateway.connect()
    ids = set()
    for _ in range(20):
        connection.request("GET", "/health")
        response = connection.getresponse()
        response.read()
        ids.add(response.headers["x-request-id"])
    connection.close()
    assert len(ids) == 20


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/teapot", "/listing-teapot"])
def test_only_the_contracts_response_headers_leave_a_model(gateway: RunningGateway, path: str) -> None:
    answer = gateway.call(path)
    assert {name for name, _ in answer.headers} == {
        "content-type",
        "content-length",
        "date",
        "x-request-id",
        "access-control-allow-origin",
        "access-control-expose-headers",
        "x-amzn-sagemaker-custom-attributes",
        "retry-after",
    }
    assert answer.header("access-control-allow-origin") == "*"
    assert answer.header("x-request-id") != "the-models-own"


@pytest.mark.slow
def test_a_function_keeps_its_own_response_headers(gateway: RunningGateway) -> None:
    answer = gateway.call("/function-teapot")
    assert answer.header("set-cookie") == "session=1"
    assert answer.header("x-powered-by") == "a model"
    assert answer.header("access-control-allow-origin") == "https://only.example"
    assert answer.header("access-control-expose-headers") == "*"
    assert (answer.header("x-request-id") or "").startswith("req-")
    assert {name for name, _ in answer.headers if name == "server" or name.startswith("x-envoy")} == set()


@pytest.mark.slow
def test_a_function_without_cors_headers_gets_them(gateway: RunningGateway) -> None:
    assert gateway.call("/function").header("access-control-allow-origin") == "*"
