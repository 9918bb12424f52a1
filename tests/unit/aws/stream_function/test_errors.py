"""Errors of the function: the one shape, and the same words as everywhere."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from centralized_ml_api.api import error_shape, openai
from centralized_ml_api.aws.document.integrations import BODY_TOO_LARGE
from support.model_server import answer, exit_at_once
from support.stream_host.host import FUNCTION, node
from support.streaming import start_streaming

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.background import Background
    from support.stream_host import StreamAnswer
    from support.streaming import Streaming

pytestmark = pytest.mark.slow

CHAT = "/v1/chat/completions"


def error_of(reply: StreamAnswer) -> dict[str, str]:
    assert reply.headers["content-type"] == "application/json"
    error: dict[str, str] = json.loads(reply.body.read())["error"]
    assert set(error) == {"message", "type", "code", "request_id"}
    assert error["request_id"] == "the-request"
    return error


@pytest.mark.parametrize("path", ["/plain", CHAT])
@pytest.mark.parametrize(("status", "code"), [(422, "model_refused"), (500, "model_failed")])
def test_a_models_error_keeps_its_status_and_words(
    streaming: Streaming, path: str, status: int, code: str
) -> None:
    streaming.model.answering = answer(status, b"too long", Content_Type="text/plain")
    reply = streaming.call(path, {"model": "openai-chat", "messages": []})
    assert reply.status == status
    error = error_of(reply)
    assert (error["message"], error["code"]) == ("too long", code)


@pytest.mark.parametrize("path", ["/plain", CHAT])
def test_a_models_error_in_json_passes_as_it_is(streaming: Streaming, path: str) -> None:
    sent = b'{"error":  {"message": "own"}}'
    streaming.model.answering = answer(429, sent, Content_Type="application/json")
    reply = streaming.call(path, {"model": "openai-chat", "messages": []})
    assert (reply.status, reply.body.read()) == (429, sent)
    assert reply.headers["content-type"] == "application/json"


def test_a_model_that_closes_the_connection_is_a_502(streaming: Streaming) -> None:
    streaming.model.answering = exit_at_once
    reply = streaming.call("/plain", {})
    assert (reply.status, error_of(reply)["code"]) == (502, "model_failed")


@pytest.mark.parametrize("path", ["/down", "/missing"])
def test_a_model_that_is_not_there_is_a_503_to_wait_for(streaming: Streaming, path: str) -> None:
    reply = streaming.call(path, {})
    assert (reply.status, error_of(reply)["code"]) == (503, "model_not_ready")
    assert reply.headers["retry-after"] == str(error_shape.RETRY_AFTER_SECONDS)


@pytest.mark.parametrize("body", [None, [], "text", {}, {"model": 1}, b"{"])
def test_a_body_that_names_no_model_is_told_the_models(streaming: Streaming, body: Any) -> None:
    reply = streaming.call(CHAT, body)
    names = ["openai-chat", "text-generation-inference", "text-inputs"]
    assert reply.status == 400
    assert error_of(reply)["message"] == openai.missing_model(names).message


@pytest.mark.parametrize("name", ["nobody", "openai-embeddings", "plain", "constructor", "__proto__"])
def test_an_unknown_model_is_a_404_that_lists_the_models(streaming: Streaming, name: str) -> None:
    reply = streaming.call(CHAT, {"model": name, "messages": []})
    names = ["openai-chat", "text-generation-inference", "text-inputs"]
    assert reply.status == 404
    assert error_of(reply)["message"] == openai.unknown_model(names).message


SAGEMAKER = [
    ((400, "ValidationError", "Rate exceeded"), (429, "too_many_requests")),
    ((400, "ThrottlingException", "Request was throttled"), (429, "too_many_requests")),
    ((400, "ValidationError", "1 validation error"), (400, "refused_by_sagemaker")),
    ((403, "AccessDeniedException", "not authorized"), (502, "model_failed")),
    ((413, "413", "too large"), (413, "body_too_large")),
    ((429, "ModelNotReadyException", "wait"), (503, "model_not_ready")),
    ((500, "InternalFailure", "oops"), (500, "api_failed")),
    ((503, "ServiceUnavailable", "no"), (503, "model_not_ready")),
    ((504, "GatewayTimeout", "no"), (504, "model_too_slow")),
    ((530, "InternalDependencyException", "no"), (500, "api_failed")),
]


@pytest.fixture(scope="module")
def refused(loop: Background) -> Iterator[Streaming]:
    """A SageMaker that answers itself: the model server stands in its place."""
    with (
        start_streaming(loop) as behind,
        start_streaming(loop, environment={"AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": behind.model.url}) as before,
    ):
        before.model = behind.model
        yield before


@pytest.mark.parametrize(("said", "answered"), SAGEMAKER)
@pytest.mark.parametrize("path", ["/plain", CHAT])
def test_each_error_of_sagemaker_has_one_answer(
    refused: Streaming, path: str, said: tuple[int, str, str], answered: tuple[int, str]
) -> None:
    status, name, message = said

    async def answering(_request: web.Request, _body: bytes) -> web.StreamResponse:
        return web.json_response({"message": message}, status=status, headers={"x-amzn-ErrorType": name})

    refused.model.asked.clear()
    refused.model.answering = answering
    reply = refused.call(path, {"model": "openai-chat", "messages": []})
    assert (reply.status, error_of(reply)["code"]) == answered
    assert ("retry-after" in reply.headers) is (reply.status in {429, 503})
    assert len(refused.model.asked) == 1, "a call is never repeated"


def test_a_sagemaker_that_cannot_be_reached_is_a_502(loop: Background) -> None:
    nowhere = {"AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": "http://127.0.0.1:9"}
    with start_streaming(loop, environment=nowhere) as streaming:
        reply = streaming.call("/plain", {})
        assert (reply.status, error_of(reply)["code"]) == (502, "model_failed")


def test_the_log_says_what_went_wrong_and_not_what_was_sent(streaming: Streaming) -> None:
    streaming.model.answering = answer(500, b"secret words", Content_Type="text/plain")
    streaming.call("/plain", {"text": "secret words"}).body.read()
    streaming.host.wait_for_line('"code":"model_failed"')
    assert not [line for line in streaming.host.lines if "secret" in line]


def test_the_words_are_those_of_the_whole_api() -> None:
    script = (
        f'import * as errors from "{FUNCTION.as_uri()}/errors.mjs";'
        "console.log(JSON.stringify(Object.values(errors).filter((one) => one instanceof errors.ApiError)"
        ".map(({status, type, code, message}) => ({status, type, code, message}))))"
    )
    run = subprocess.run(
        [node(), "--input-type=module", "-e", script], capture_output=True, check=True, timeout=60
    )
    known = [*error_shape.ERRORS.values(), BODY_TOO_LARGE]
    found = [error_shape.ApiError(**one) for one in json.loads(run.stdout)]
    assert len(found) > 8
    assert not [one for one in found if one not in known]
