"""A real SageMaker endpoint behind the gateway: signed calls, and its errors in the one shape."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.openai import CHAT_PATH
from centralized_ml_api.local.gateway import ExternalUpstream, Gateway, ServedRoute, Signing
from centralized_ml_api.local.servers.aws_access import Credentials, write_credentials
from support.model_server import ModelServer, answer, start_model_server
from support.running_gateway import RunningGateway, start_gateway
from support.runtime import FakeEndpoint
from support.signed_runtime import Keys, start_signed_runtime
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.background import Background
    from support.running_gateway import Answer

REGION = "eu-west-1"
FIRST = Credentials("AKIDFIRST", "secret/of+the=first", "token/of+the=first==")


@dataclass
class Endpoint:
    """A gateway before a real endpoint before a model server."""

    gateway: RunningGateway
    model: ModelServer
    keys: Keys
    credentials: Path

    def log_in(self, credentials: Credentials) -> None:
        self.keys.add(credentials.key, credentials.secret, credentials.token)
        write_credentials(self.credentials, credentials)


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory, background: Background) -> Iterator[Endpoint]:
    folder = tmp_path_factory.mktemp("signed")
    credentials = folder / "aws/credentials"
    credentials.parent.mkdir()
    write_credentials(credentials, FIRST)
    keys = Keys(REGION)
    with (
        start_model_server(background) as model,
        start_signed_runtime(background, FakeEndpoint("Real-1", [model.url], "/model"), keys) as url,
    ):
        port = int(url.rpartition(":")[2])
        signing = Signing(REGION, credentials)
        upstreams = (
            ExternalUpstream("real", "127.0.0.1", port, tls=False, signing=signing),
            ExternalUpstream(
                "raw", "127.0.0.1", int(model.url.rpartition(":")[2]), tls=False, signing=signing
            ),
        )
        route = ServedRoute("real", "real", "/endpoints/Real-1/invocations", ("X-Custom",))
        routes = (
            route,
            ServedRoute("nowhere", "real", "/endpoints/Nowhere/invocations", ()),
            ServedRoute("raw", "raw", "/raw", ()),
        )
        with start_gateway(
            folder, background, Gateway(upstreams, routes, by_model={CHAT_PATH: (route,)}), seconds=5
        ) as gateway:
            yield Endpoint(gateway, model, keys, credentials)


@pytest.fixture(autouse=True)
def logged_in(endpoint: Endpoint) -> None:
    endpoint.keys.expired.clear()
    endpoint.log_in(FIRST)
    wait_until(lambda: endpoint.gateway.call("/real", b"{}").status == 200, "it is called with these")


def assert_error(answered: Answer, error: errors.ApiError, message: str = "") -> None:
    assert (answered.status, answered.error["code"]) == (error.status, error.code), answered
    assert answered.error["type"] == error.type
    assert message in answered.error["message"]
    assert answered.error["request_id"] == answered.header("x-request-id")
    assert answered.header("content-type") == "application/json"
    assert answered.header("access-control-allow-origin") == "*"
    waits = error.status in {429, 503}
    assert answered.header("retry-after") == (str(errors.RETRY_AFTER_SECONDS) if waits else None)


@pytest.mark.slow
@pytest.mark.parametrize("body", [b"", b"{}", bytes(range(256)) * 23_000], ids=["none", "small", "near 6 MB"])
def test_a_call_is_signed_and_answers_what_the_model_does(endpoint: Endpoint, body: bytes) -> None:
    headers = {"X-Custom": "  two  spaces ", "Content-Type": "application/x-npy", "Accept": "a/b, c/d"}
    answered = endpoint.gateway.call("/real?query=1", body, {**headers, "X-Request-Id": "mine"})
    assert (answered.status, answered.body) == (200, body)
    assert answered.header("content-type") == "application/x-npy"
    asked = endpoint.model.asked[-1]
    assert asked.headers["accept"] == "a/b, c/d"
    assert not {"authorization", "x-request-id"} & asked.headers.keys()
    assert not [name for name, _ in answered.headers if name.startswith("x-amzn")]


@pytest.mark.slow
def test_a_chunked_call_is_signed_too(endpoint: Endpoint) -> None:
    assert endpoint.gateway.call("/real", iter([b"one", b"two"])).body == b"onetwo"


@pytest.mark.slow
def test_what_a_caller_says_of_itself_is_not_what_is_signed_with(endpoint: Endpoint) -> None:
    mine = {"Authorization": "AWS4-HMAC-SHA256 mine", "X-Amz-Security-Token": "mine", "X-Amz-Date": "mine"}
    assert endpoint.gateway.call("/real", b"{}", mine).status == 200
    assert endpoint.keys.seen[-1] == FIRST.key


@pytest.mark.slow
def test_new_credentials_are_used_at_once_and_without_a_restart(endpoint: Endpoint) -> None:
    endpoint.log_in(Credentials("AKIDSECOND", "another secret", None))
    endpoint.keys.expired.add(FIRST.key)
    wait_until(lambda: endpoint.gateway.call("/real", b"{}").status == 200, "the new ones are used")
    assert endpoint.keys.seen[-1] == "AKIDSECOND"


@pytest.mark.slow
def test_expired_credentials_are_the_operators_business(endpoint: Endpoint) -> None:
    endpoint.keys.expired.add(FIRST.key)
    answered = endpoint.gateway.call("/real", b"{}")
    assert_error(answered, errors.MODEL_FAILED, "whoever runs this API finds the reason in the logs")
    assert "arn:aws" not in answered.error["message"]
    assert endpoint.keys.refused[-1] == "ExpiredTokenException"


@pytest.mark.slow
def test_a_wrong_secret_signs_nothing_that_counts(endpoint: Endpoint) -> None:
    endpoint.keys.add("AKIDWRONG", "the right secret")
    write_credentials(endpoint.credentials, Credentials("AKIDWRONG", "a wrong secret", None))
    wait_until(lambda: endpoint.gateway.call("/real", b"{}").status == 502, "it is called with these")
    assert endpoint.keys.refused[-1] == "InvalidSignatureException"


@pytest.mark.slow
def test_no_secret_is_in_the_gateways_configuration_or_log(endpoint: Endpoint) -> None:
    written = [path for path in endpoint.gateway.folder.rglob("*") if path.is_file()]
    log = endpoint.gateway.folder.parent / "logs/access.log"
    for path in (*written, log):
        text = path.read_text()
        assert FIRST.secret not in text, path
        assert "token/of" not in text, path
    assert endpoint.credentials.stat().st_mode & 0o777 == 0o600


@pytest.mark.slow
@pytest.mark.parametrize(
    "body", [b'{"error": "no: \\"\xc3\xa9\\u00e9\\ud83d\\ude42\\\\n\\n\\/"}', b'{"x":\n\t[1, "\\u0022"]}']
)
def test_a_models_own_json_error_is_as_it_was(endpoint: Endpoint, body: bytes) -> None:
    endpoint.model.answering = answer(422, body, Content_Type="application/json")
    answered = refused(endpoint)
    assert (answered.status, answered.body) == (422, body)
    assert answered.header("content-type") == "application/json"


@pytest.mark.slow
def test_a_models_other_errors_keep_their_status_and_words(endpoint: Endpoint) -> None:
    endpoint.model.answering = answer(418, 'no "tea"\n\\ é 🙂'.encode())
    answered = refused(endpoint)
    assert (answered.status, answered.error["code"]) == (418, errors.MODEL_REFUSED.code)
    assert answered.error["message"] == 'no "tea"\n\\ é 🙂'
    endpoint.model.answering = answer(500, b"")
    answered = refused(endpoint)
    assert (answered.status, answered.error["code"]) == (500, errors.MODEL_FAILED.code)


def refused(endpoint: Endpoint) -> Answer:
    """One answer, after which the model answers well again."""
    try:
        return endpoint.gateway.call("/real", b"{}")
    finally:
        endpoint.model.answering = ModelServer().answering


@pytest.mark.slow
def test_an_endpoint_that_does_not_exist_is_not_ready(endpoint: Endpoint) -> None:
    assert_error(endpoint.gateway.call("/nowhere", b"{}"), errors.MODEL_NOT_READY)


ESCAPED = r"say \"OriginalMessage\":\"{}\" \\"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("status", "body", "error", "message"),
    [
        (400, b'{"message": "1 validation error"}', errors.REFUSED_BY_SAGEMAKER, "1 validation error"),
        (400, b'{"Message": "Rate exceeded"}', errors.TOO_MANY_REQUESTS, "Rate exceeded"),
        (400, b'{"Message": "ThrottlingException"}', errors.TOO_MANY_REQUESTS, "ThrottlingException"),
        (400, b"not JSON", errors.REFUSED_BY_SAGEMAKER, errors.REFUSED_BY_SAGEMAKER.message),
        (413, b"", errors.BODY_TOO_LARGE, ""),
        (424, b"{}", errors.MODEL_FAILED, ""),
        (424, b'{"OriginalStatusCode": 0, "OriginalMessage": "it timed out"}', errors.MODEL_TOO_SLOW, ""),
        (424, f'{{"Message": "{ESCAPED}"}}'.encode(), errors.MODEL_FAILED, 'say "OriginalMessage":"{}" \\'),
        (429, b'{"Message": "still starting"}', errors.MODEL_NOT_READY, "still starting"),
        (429, b'{"Message": "Throttled"}', errors.TOO_MANY_REQUESTS, "Throttled"),
        (500, b'{"Message": "secret"}', errors.API_FAILED, errors.API_FAILED.message),
        (503, b"<html>", errors.MODEL_NOT_READY, ""),
        (504, b"", errors.MODEL_TOO_SLOW, ""),
        (403, b'{"Message": "User: arn:aws is not authorized"}', errors.MODEL_FAILED, "whoever runs"),
        (302, b"", errors.MODEL_FAILED, "whoever runs"),
        (424, b'{"OriginalStatusCode": [1], "x": {', errors.MODEL_FAILED, ""),
        (424, b'{"OriginalMessage": "never ends', errors.MODEL_FAILED, ""),
        (
            400,
            b'{"message": "' + b"\\" * 1001,
            errors.REFUSED_BY_SAGEMAKER,
            errors.REFUSED_BY_SAGEMAKER.message,
        ),
    ],
)
def test_sagemakers_own_errors_are_worded_as_on_aws(
    endpoint: Endpoint, status: int, body: bytes, error: errors.ApiError, message: str
) -> None:
    endpoint.model.answering = answer(status, body)
    try:
        assert_error(endpoint.gateway.call("/raw", b"{}"), error, message)
    finally:
        endpoint.model.answering = ModelServer().answering


@pytest.mark.slow
def test_characters_beyond_ascii_may_be_escaped_in_either_case(endpoint: Endpoint) -> None:
    own = r"{\"a\": \"\uD83D\uDE42\ud83d\ude42\u00E9\"}"
    endpoint.model.answering = answer(
        424, f'{{"OriginalStatusCode": 422, "OriginalMessage": "{own}"}}'.encode()
    )
    try:
        assert json.loads(endpoint.gateway.call("/raw", b"{}").body) == {"a": "🙂🙂é"}
    finally:
        endpoint.model.answering = ModelServer().answering


@pytest.mark.slow
def test_the_gateways_own_errors_are_as_on_every_path(endpoint: Endpoint) -> None:
    assert_error(endpoint.gateway.call("/real", bytes(7_000_000)), errors.BODY_TOO_LARGE)


@pytest.mark.slow
@pytest.mark.parametrize("stream", [False, True])
def test_it_can_be_called_as_openai_does(endpoint: Endpoint, stream: bool) -> None:  # noqa: FBT001
    body = json.dumps({"model": "real", "stream": stream}).encode()
    answered = endpoint.gateway.call("/v1/chat/completions", body)
    assert (answered.status, answered.body) == (200, body)
    endpoint.model.answering = answer(422, b"no")
    try:
        answered = endpoint.gateway.call("/v1/chat/completions", body)
        assert (answered.status, answered.error["message"]) == (422, "no")
    finally:
        endpoint.model.answering = ModelServer().answering
