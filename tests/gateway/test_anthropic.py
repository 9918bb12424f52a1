"""Errors under `/v1/messages` have the shape of Anthropic's API, whoever made them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.openai import CHAT_PATH
from centralized_ml_api.local.admission.terms import EntryTerms
from centralized_ml_api.local.envoy import Limits
from centralized_ml_api.local.gateway import Gateway, ServedRoute, TeamAccess, Upstream
from centralized_ml_api.plan.apis import COUNT_TOKENS_PATH, MESSAGES
from centralized_ml_api.plan.event import Throttle
from centralized_ml_api.plan.types import BODY_LIMIT_BYTES
from support.odd_server import OddServer
from support.running_gateway import start_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.background import Background
    from support.running_gateway import Answer, RunningGateway

pytestmark = pytest.mark.slow

(PATH, _) = MESSAGES.paths
RED, BLUE, SLOW = "red-key", "blue-key", "slow-key"
LARGE = 200_000
"""More than the kernel's buffers hold: such a body is read and dropped before its call is refused."""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, background: Background) -> Iterator[RunningGateway]:
    with OddServer() as server:
        entries = {
            "echo": "/echo",
            "teapot": "/status/418",
            "refuses": "/refuse/422",
            "closes": "/close",
            "events": "/events",
        }
        routes = [ServedRoute(name, "odd", path, ()) for name, path in entries.items()]
        llama = EntryTerms(places=2, body_rules="llama.cpp", slots=4, context=64, path=PATH)
        routes.append(ServedRoute("llama", "odd", "/echo", (), admission=llama))
        routes.append(ServedRoute("starting", "empty", "/echo", ()))
        served = Gateway(
            upstreams=(Upstream("odd", (server.port,)), Upstream("empty", ())),
            routes=(ServedRoute("other", "odd", "/echo", ()), ServedRoute("echo", "odd", "/echo", ())),
            by_model={
                CHAT_PATH: (ServedRoute("echo", "odd", "/echo", ()),),
                PATH: tuple(routes),
                COUNT_TOKENS_PATH: (ServedRoute("echo", "odd", "/echo/count", ()),),
            },
            teams=(
                TeamAccess("red", (RED,)),
                TeamAccess("blue", (BLUE,), ("other",)),
                TeamAccess("slow", (SLOW,), throttle=Throttle(0.001, 1)),
            ),
        )
        server.steps.set()
        folder = tmp_path_factory.mktemp("gateway")
        limits = Limits(stream_idle_seconds=10, request_seconds=10)
        with start_gateway(folder, background, served, limits=limits) as running:
            yield running


def call(gateway: RunningGateway, body: Any, key: str | None = RED, path: str = PATH, **more: Any) -> Answer:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return gateway.call(path, sent, {"x-api-key": key} if key else {}, **more)


def check_error(answer: Answer, status: int, kind: str, *said: str) -> None:
    """Compares an error with what Anthropic's SDKs read."""
    assert answer.status == status, answer
    assert answer.header("content-type") == "application/json"
    assert answer.header("access-control-allow-origin") == "*"
    identity = answer.header("x-request-id")
    assert identity is not None
    assert answer.header("request-id") == identity
    document = json.loads(answer.body)
    assert document == {"type": "error", "error": document["error"], "request_id": identity}
    assert document["error"].keys() == {"type", "message"}
    assert document["error"]["type"] == kind
    for words in said:
        assert words in document["error"]["message"], document


@pytest.mark.parametrize("path", [PATH, COUNT_TOKENS_PATH, f"{PATH}/nothing"])
@pytest.mark.parametrize("key", [None, "no-key"])
@pytest.mark.parametrize("size", [1, LARGE])
def test_a_call_without_a_valid_key_is_an_authentication_error(
    gateway: RunningGateway, path: str, key: str | None, size: int
) -> None:
    answer = call(gateway, b"x" * size, key, path)
    check_error(answer, 401, "authentication_error", "no valid key")
    assert answer.header("www-authenticate") == "Bearer"


def test_both_headers_of_a_key_are_taken(gateway: RunningGateway) -> None:
    schemes = ({"authorization": f"{scheme}{RED}"} for scheme in ("Bearer ", "bearer  "))
    for headers in ({"x-api-key": RED}, *schemes):
        more = {"anthropic-version": "2023-06-01", "anthropic-beta": "a,b", **headers}
        answer = gateway.call(f"{PATH}?beta=true", b'{"model": "echo"}', more)
        assert (answer.status, answer.json["path"]) == (200, "/echo"), headers
        assert {"anthropic-version", "anthropic-beta", "x-api-key", "authorization"}.isdisjoint(
            name for name, _ in answer.json["headers"]
        )
        assert answer.header("request-id") == answer.header("x-request-id")
    wrong = gateway.call(PATH, b'{"model": "echo"}', {"authorization": "bearer nobody"})
    check_error(wrong, 401, "authentication_error")


@pytest.mark.parametrize(
    ("body", "status", "kind", "said"),
    [
        ({"model": "nobody"}, 404, "not_found_error", "Available: echo"),
        (b'{"model": "nobody", "seed": 18446744073709551615}', 404, "not_found_error", "Available: echo"),
        ({"model": "other"}, 404, "not_found_error", "but at POST /other."),
        ({}, 400, "invalid_request_error", '"model"'),
        (b"{", 400, "invalid_request_error", "line 1, column 2"),
        (b"[]", 400, "invalid_request_error", "not an array"),
        ({"model": "llama", "messages": []}, 400, "invalid_request_error", "'messages' must be a list"),
        (
            {"model": "llama", "messages": [{"role": "user", "content": "a" * 3000}]},
            400,
            "invalid_request_error",
            "prompt is too long",
        ),
        (b"x" * (BODY_LIMIT_BYTES + 1), 413, "request_too_large", "6291456 bytes"),
        ({"model": "teapot"}, 418, "invalid_request_error", "as it is:"),
        ({"model": "refuses"}, 422, "invalid_request_error", "it's"),
        ({"model": "closes"}, 502, "api_error", "closed the connection"),
        ({"model": "starting"}, 503, "overloaded_error", "starting"),
    ],
    ids=lambda value: str(value)[:40],
)
@pytest.mark.parametrize("stream", [False, True])
def test_every_error_has_the_type_of_its_status(
    gateway: RunningGateway, body: Any, status: int, kind: str, said: str, *, stream: bool
) -> None:
    sent = {**body, "stream": stream} if isinstance(body, dict) else body
    check_error(call(gateway, sent), status, kind, said)


def test_a_model_that_a_team_may_not_call_is_a_permission_error(gateway: RunningGateway) -> None:
    check_error(call(gateway, {"model": "echo"}, BLUE), 403, "permission_error", "may not call")


def test_paths_and_methods_that_do_not_exist(gateway: RunningGateway) -> None:
    check_error(call(gateway, {}, path=f"{PATH}/batches"), 404, "not_found_error", "Nothing is served")
    for method in ("GET", "PUT", "DELETE"):
        answer = call(gateway, b"", method=method)
        check_error(answer, 405, "invalid_request_error", "POST")
        assert answer.header("allow") == "POST, OPTIONS"
    assert call(gateway, b"", method="HEAD").body == b""


def test_over_its_rate_a_team_is_told_when_to_come_back(gateway: RunningGateway) -> None:
    answers = [call(gateway, {"model": "echo"}, SLOW) for _ in range(2)]
    assert answers[0].status == 200
    check_error(answers[1], 429, "rate_limit_error", "exceeded its request rate")
    assert answers[1].header("retry-after") == "1000"
    assert answers[1].header("x-should-retry") == "false"


def test_answers_pass_as_they_are_streams_too(gateway: RunningGateway) -> None:
    counted = call(gateway, {"model": "echo"}, path=COUNT_TOKENS_PATH)
    assert (counted.status, counted.json["path"]) == (200, "/echo/count")
    streamed = call(gateway, {"model": "events", "stream": True})
    assert (streamed.status, streamed.header("content-type")) == (200, "text/event-stream; charset=utf-8")
    assert streamed.header("request-id") == streamed.header("x-request-id")


def test_elsewhere_errors_are_as_they_were(gateway: RunningGateway) -> None:
    for path in (CHAT_PATH, "/v1/messages-of-another", "/nothing"):
        answer = call(gateway, {"model": "nobody"}, path=path)
        assert answer.status == 404
        assert answer.error["code"] in {"model_not_found", errors.UNKNOWN_PATH.code}
        assert answer.header("request-id") is None
