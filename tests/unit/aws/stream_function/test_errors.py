"""Errors of the function: the one shape, and the same words as everywhere."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from centralized_ml_api.api import error_shape, openai
from centralized_ml_api.aws.document.integrations import BODY_TOO_LARGE
from support.model_server import answer, exit_at_once
from support.stream_host.script import run_script
from support.streaming import start_streaming

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.background import Background
    from support.stream_host import StreamAnswer
    from support.streaming import Streaming

CHAT = "/v1/chat/completions"
CHATS = ["openai-chat", "text-generation-inference", "text-inputs"]
MESSAGES = [{"role": "user", "content": "Hi"}]


def error_of(reply: StreamAnswer) -> dict[str, str]:
    assert reply.headers["content-type"] == "application/json"
    error: dict[str, str] = json.loads(reply.body.read())["error"]
    assert set(error) == {"message", "type", "code", "request_id"}
    assert error["request_id"] == "the-request"
    return error


@pytest.mark.parametrize("path", ["/plain", CHAT])
@pytest.mark.parametrize(("status", "code"), [(422, "model_refused"), (500, "model_failed")])
@pytest.mark.slow
def test_a_models_error_keeps_its_status_and_words(
    streaming: Streaming, path: str, status: int, code: str
) -> None:
    streaming.model.answering = answer(status, b"too long", Content_Type="text/plain")
    reply = streaming.call(path, {"model": "openai-chat", "messages": MESSAGES})
    assert reply.status == status
    error = error_of(reply)
    assert (error["message"], error["code"]) == ("too long", code)


@pytest.mark.parametrize("path", ["/plain", CHAT])
@pytest.mark.slow
def test_a_models_error_in_json_passes_as_it_is(streaming: Streaming, path: str) -> None:
    sent = b'{"error":  {"message": "own"}}'
    streaming.model.answering = answer(429, sent, Content_Type="application/json")
    reply = streaming.call(path, {"model": "openai-chat", "messages": MESSAGES})
    assert (reply.status, reply.body.read()) == (429, sent)
    assert reply.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            b'{"error": {"code": 500, "message": "image input is not supported - hint", "type": "x"}}',
            "image input is not supported - hint",
        ),
        (b"Failed to parse tools: [json.exception]", "Failed to parse tools: [json.exception]"),
        (b'{"message": "m is not a multimodal model"}', "m is not a multimodal model"),
        (b"<p>Missing 'role' in message: {}</p>", "<p>Missing 'role' in message: {}</p>"),
    ],
)
@pytest.mark.slow
def test_a_callers_mistake_that_a_server_answers_with_500_is_a_400(
    streaming: Streaming, body: bytes, message: str
) -> None:
    streaming.model.answering = answer(500, body, Content_Type="application/json")
    reply = streaming.call(CHAT, {"model": "openai-chat", "messages": MESSAGES})
    assert reply.status == 400
    error = error_of(reply)
    assert (error["code"], error["message"]) == ("model_refused", message)
    assert streaming.call("/plain", {}).status == 500, "a model's own path has its own status"


@pytest.mark.slow
def test_a_model_that_closes_the_connection_is_a_502(streaming: Streaming) -> None:
    streaming.model.answering = exit_at_once
    reply = streaming.call("/plain", {})
    assert (reply.status, error_of(reply)["code"]) == (502, "model_failed")


@pytest.mark.parametrize("path", ["/down", "/missing"])
@pytest.mark.slow
def test_a_model_that_is_not_there_is_a_503_to_wait_for(streaming: Streaming, path: str) -> None:
    reply = streaming.call(path, {})
    assert (reply.status, error_of(reply)["code"]) == (503, "model_not_ready")
    assert reply.headers["retry-after"] == str(error_shape.RETRY_AFTER_SECONDS)


@pytest.mark.parametrize("body", [{}, {"model": 1}, {"model": None}])
@pytest.mark.slow
def test_a_body_that_names_no_model_is_told_the_models(streaming: Streaming, body: Any) -> None:
    reply = streaming.call(CHAT, body)
    assert reply.status == 400
    assert error_of(reply)["message"] == openai.missing_model(CHATS).message


@pytest.mark.parametrize("name", ["nobody", "openai-embeddings", "plain", "constructor", "__proto__"])
@pytest.mark.slow
def test_an_unknown_model_is_a_404_that_lists_the_models(streaming: Streaming, name: str) -> None:
    reply = streaming.call(CHAT, {"model": name, "messages": []})
    assert reply.status == 404
    assert error_of(reply)["message"] == openai.unknown_model(CHATS).message


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
@pytest.mark.slow
def test_each_error_of_sagemaker_has_one_answer(
    refused: Streaming, path: str, said: tuple[int, str, str], answered: tuple[int, str]
) -> None:
    status, name, message = said

    async def answering(_request: web.Request, _body: bytes) -> web.StreamResponse:
        return web.json_response({"message": message}, status=status, headers={"x-amzn-ErrorType": name})

    refused.model.asked.clear()
    refused.model.answering = answering
    reply = refused.call(path, {"model": "openai-chat", "messages": MESSAGES})
    assert (reply.status, error_of(reply)["code"]) == answered
    assert ("retry-after" in reply.headers) is (reply.status in {429, 503})
    assert len(refused.model.asked) == 1, "a call is never repeated"


@pytest.mark.slow
def test_a_sagemaker_that_cannot_be_reached_is_a_502(loop: Background) -> None:
    nowhere = {"AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": "http://127.0.0.1:9"}
    with start_streaming(loop, environment=nowhere) as streaming:
        reply = streaming.call("/plain", {})
        assert (reply.status, error_of(reply)["code"]) == (502, "model_failed")


@pytest.mark.slow
def test_the_log_says_what_went_wrong_and_not_what_was_sent(streaming: Streaming) -> None:
    streaming.model.answering = answer(500, b"secret words", Content_Type="text/plain")
    streaming.call("/plain", {"text": "secret words"}).body.read()
    streaming.host.wait_for_line('"code":"model_failed"')
    assert not [line for line in streaming.host.lines if "secret" in line]


WORDS = """
import * as errors from "./errors.mjs";
const known = Object.values(errors).filter((error) => error instanceof errors.ApiError);
const own = known.map(({ status, type, code, message }) => ({ status, type, code, message }));
console.log(JSON.stringify(own));
"""
EXPLAIN = """
import { explain, headersOf, renderError } from "./errors.mjs";
const errors = input.map(({ reason, metadata, ...fields }) => {
    const cause = Object.assign(new Error(fields.message), fields);
    if (metadata) cause.$metadata = { httpStatusCode: metadata };
    return explain(cause, reason);
});
console.log(JSON.stringify(errors.map((error) => ({
    status: error.status,
    code: error.code,
    message: error.message,
    retry: "retry-after" in headersOf(error),
    body: renderError(error, "the-request"),
}))));
"""


def explained(**cause: object) -> dict[str, Any]:
    """What a caller gets for an error of the SDK."""
    (error,) = run_script(EXPLAIN, [cause])
    return dict(error)


def test_the_words_are_those_of_the_whole_api() -> None:
    known = [*error_shape.ERRORS.values(), BODY_TOO_LARGE]
    found = [error_shape.ApiError(**error) for error in run_script(WORDS)]
    assert len(found) > 8
    assert not [error for error in found if error not in known]


def test_each_error_of_sagemaker_is_explained_once() -> None:
    causes = [{"metadata": status, "name": name, "message": text} for (status, name, text), _ in SAGEMAKER]
    errors = run_script(EXPLAIN, causes)
    assert [(error["status"], error["code"]) for error in errors] == [answer for _, answer in SAGEMAKER]
    assert [error["retry"] for error in errors] == [answer[0] in {429, 503} for _, answer in SAGEMAKER]


@pytest.mark.parametrize(
    ("cause", "status", "code"),
    [
        ({"message": "socket", "code": "ECONNREFUSED"}, 502, "model_failed"),
        ({"message": "undefined is not a function"}, 500, "api_failed"),
        ({"message": "late", "metadata": 200, "code": "ECONNRESET"}, 502, "model_failed"),
        ({"message": "", "name": "InternalStreamFailure"}, 502, "model_failed"),
        ({"message": "", "name": "ModelStreamError", "ErrorCode": "StreamBroken"}, 502, "model_failed"),
        (
            {"message": "", "name": "ModelStreamError", "ErrorCode": "ModelInvocationTimeExceeded"},
            504,
            "model_too_slow",
        ),
        ({"message": "aborted", "reason": "idle timeout"}, 504, "model_too_slow"),
        ({"message": "aborted", "reason": "function timeout"}, 504, "model_too_slow"),
        ({"message": "Endpoint chat of account 1 not found.", "metadata": 400}, 503, "model_not_ready"),
        ({"message": "", "metadata": 400}, 400, "refused_by_sagemaker"),
        ({"message": "", "metadata": 429}, 503, "model_not_ready"),
        ({"message": "Rate exceeded", "metadata": 429}, 429, "too_many_requests"),
        ({"message": "m", "metadata": 424, "OriginalStatusCode": 400}, 400, "model_refused"),
        ({"message": "m", "metadata": 424, "OriginalStatusCode": 599}, 599, "model_failed"),
        ({"message": "m", "metadata": 424, "OriginalStatusCode": 200}, 502, "model_failed"),
        ({"message": "it timed out", "metadata": 424}, 504, "model_too_slow"),
    ],
)
def test_each_way_to_fail_has_one_answer(cause: dict[str, object], status: int, code: str) -> None:
    error = explained(**cause)
    assert (error["status"], error["code"]) == (status, code)


def test_a_models_own_message_is_kept_and_its_own_json_is_the_whole_body() -> None:
    failed = {"message": "ModelError", "metadata": 424, "OriginalStatusCode": 503}
    assert explained(**failed, OriginalMessage="own words")["message"] == "own words"
    own = explained(**failed, OriginalMessage='{"detail": 1}')
    assert own["body"] == '{"detail": 1}'
    assert own["retry"] is False, "a model's own 503 says itself when to try again"
