"""What a caller gets for what its function did: the response, or an error in the API's shape."""

from __future__ import annotations

import asyncio
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from centralized_ml_api.local.lambda_host.proxy_integration import ProxyIntegration
from centralized_ml_api.local.lambda_host.runtime_api import Failed, Invocation, Outcome, Returned
from centralized_ml_api.plan.types import BODY_LIMIT_BYTES

RESULT = {"statusCode": 418, "headers": {"X-Own": "yes"}, "multiValueHeaders": {"A": ["1", "2"]}}
TEA = Returned(json.dumps(RESULT).encode())


@dataclass
class Asked:
    """The function behind the integration: `outcome` is how every call of it ends."""

    outcome: Outcome = TEA
    ready: bool = True
    invocations: list[Invocation] = field(default_factory=list)

    async def invoke(self, invocation: Invocation) -> Outcome:
        """Runs an invocation."""
        self.invocations.append(invocation)
        return self.outcome

    @property
    def lambda_event(self) -> dict[str, Any]:
        """What the function was given last."""
        found: dict[str, Any] = json.loads(self.invocations[-1].lambda_event)
        return found


@dataclass(frozen=True)
class Reply:
    """What the caller got."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def error(self) -> dict[str, str]:
        """The error in the API's shape."""
        found: dict[str, str] = json.loads(self.body)["error"]
        return found


def call(function: Asked, path: str = "/echo", *, method: str = "POST", **options: Any) -> Reply:
    integration = ProxyIntegration("echo", invoke=function.invoke, ready=lambda: function.ready)

    async def ask() -> Reply:
        async with (
            TestClient(TestServer(integration.build_application())) as client,
            client.request(method, path, **options) as response,
        ):
            return Reply(response.status, response.headers.copy(), await response.read())

    return asyncio.run(ask())


@pytest.mark.parametrize(("ready", "status"), [(True, 200), (False, 503)])
def test_it_is_ready_once_the_function_was_loaded(*, ready: bool, status: int) -> None:
    function = Asked(ready=ready)
    assert call(function, "/ping", method="GET").status == status
    assert function.invocations == []


def test_every_method_and_path_reaches_the_function_with_its_query() -> None:
    function = Asked()
    reply = call(function, "/a/b?x=1&x=2", method="DELETE", data=b"hello", headers={"Content-Type": "text/x"})
    seen = function.lambda_event
    assert (seen["httpMethod"], seen["path"], seen["body"]) == ("DELETE", "/a/b", "hello")
    assert seen["multiValueQueryStringParameters"] == {"x": ["1", "2"]}
    assert (reply.status, reply.headers["X-Own"], reply.headers["A"]) == (418, "yes", "1")


def test_the_gateways_request_id_is_lambdas() -> None:
    function = Asked()
    call(function, headers={"X-Request-Id": "my-id.1_"})
    assert function.invocations[0].request_id == "my-id.1_"
    assert function.lambda_event["requestContext"]["requestId"] == "my-id.1_"


@pytest.mark.parametrize("given", ["", "a b", "ü", "x" * 129])
def test_a_request_id_that_could_garble_a_log_is_replaced(given: str) -> None:
    function = Asked()
    call(function, headers={"X-Request-Id": given})
    assert re.fullmatch(r"[0-9a-f-]{36}", function.invocations[0].request_id)


@pytest.mark.parametrize(
    ("status", "kind", "code", "retry"),
    [
        (502, "model_error", "function_failed", None),
        (503, "unavailable_error", "function_not_ready", "2"),
        (504, "timeout_error", "function_too_slow", None),
    ],
)
def test_a_failure_is_an_error_of_the_api_that_names_the_entry_and_is_logged(
    status: int, kind: str, code: str, retry: str | None, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    reply = call(Asked(Failed(status, "the reason")), headers={"X-Request-Id": "r-1"})
    assert (reply.status, reply.headers["Content-Type"]) == (status, "application/json")
    assert reply.headers.get("Retry-After") == retry
    assert reply.error == {"message": "echo: the reason", "type": kind, "code": code, "request_id": "r-1"}
    assert capsysbinary.readouterr().out == f"r-1 {status}: the reason\n".encode()


def test_a_malformed_result_is_a_failure_of_the_function() -> None:
    reply = call(Asked(Returned(b"null")))
    assert (reply.status, reply.error["message"]) == (
        502,
        "echo: the function returned null instead of an object with statusCode, headers and body",
    )


def test_a_body_over_the_limit_does_not_reach_the_function() -> None:
    function = Asked()
    reply = call(function, data=io.BytesIO(b"x" * (BODY_LIMIT_BYTES + 1)))
    assert (reply.status, reply.error["code"]) == (413, "body_too_large")
    assert reply.error["message"] == "echo: the body is larger than 6291456 bytes (6 MB)"
    assert function.invocations == []


def test_an_event_over_lambdas_limit_does_not_reach_the_function_and_says_why() -> None:
    function = Asked()
    reply = call(function, data=io.BytesIO(b"\xff" * 5_000_000))
    assert (reply.status, reply.error["code"]) == (413, "body_too_large")
    assert re.fullmatch(
        r"echo: the body of 5000000 bytes makes an event of 66\d{5} bytes, over Lambda's limit of 6 MB:"
        r" base64 makes binary bodies a third larger",
        reply.error["message"],
    )
    assert function.invocations == []


def test_an_expectation_is_left_to_the_gateway_and_the_function() -> None:
    assert call(Asked(), headers={"Expect": "200-maybe"}).status == 418


def test_a_header_that_is_no_text_reaches_the_function_with_marks() -> None:
    function = Asked()
    integration = ProxyIntegration("echo", invoke=function.invoke, ready=lambda: True)

    async def ask() -> None:
        async with TestServer(integration.build_application()) as server:
            reader, writer = await asyncio.open_connection(server.host, server.port)
            head = b"POST /echo HTTP/1.1\r\nHost: x\r\nX-Odd: a\xffb\r\nConnection: close\r\n\r\n"
            writer.write(head)
            await reader.read()
            writer.close()

    asyncio.run(ask())
    assert function.lambda_event["headers"]["X-Odd"] == "a\ufffdb"
