"""`POST /{name}` of an entry that streams."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.api.http import CORS_HEADERS
from support.model_server import answer, exit_at_once, exit_midway, hang
from support.stream_host import BrokenAnswerError, build_event
from support.streaming import CUSTOM_ATTRIBUTES, Gate, start_streaming, streams
from support.waiting import wait_until

if TYPE_CHECKING:
    from support.background import Background
    from support.streaming import Streaming


@pytest.mark.slow
def test_the_models_bytes_type_and_attributes_come_unchanged(streaming: Streaming) -> None:
    sent = bytes(range(256)) * 100
    streaming.model.answering = answer(
        200, sent, Content_Type="audio/x-odd; a=b", X_Amzn_SageMaker_Custom_Attributes="trace=1"
    )
    status, headers, body = streaming.call("/plain", b"\x00\xff")
    assert (status, body.read()) == (200, sent)
    assert headers["content-type"] == "audio/x-odd; a=b"
    assert headers["x-amzn-sagemaker-custom-attributes"] == "trace=1"


@pytest.mark.slow
def test_the_request_reaches_the_model_with_its_type_and_the_configured_headers_alone(
    streaming: Streaming,
) -> None:
    streaming.model.answering = answer(200, b"")
    given = {
        "Content-Type": "audio/wav",
        "Accept": "text/csv",
        CUSTOM_ATTRIBUTES: "a=1",
        "x-api-key": "secret",
    }
    streaming.call("/plain", b"\x00\xff", given).body.read()
    (asked,) = streaming.model.asked
    assert asked.body == b"\x00\xff"
    assert (asked.headers["content-type"], asked.headers["accept"]) == ("audio/wav", "text/csv")
    assert asked.headers["x-amzn-sagemaker-custom-attributes"] == "a=1"
    assert "secret" not in str(asked.headers)


@pytest.mark.slow
def test_a_header_that_is_not_configured_does_not_pass(streaming: Streaming) -> None:
    streaming.model.answering = answer(200, b"")
    streaming.call("/bare", {}, {CUSTOM_ATTRIBUTES: "a=1"}).body.read()
    assert "x-amzn-sagemaker-custom-attributes" not in streaming.model.asked[0].headers


@pytest.mark.slow
def test_json_is_the_type_of_a_request_without_one(streaming: Streaming) -> None:
    streaming.model.answering = answer(200, b"")
    streaming.call("/plain", {"a": "\u00e9"}).body.read()
    assert streaming.model.asked[0].headers["content-type"] == "application/json"
    assert json.loads(streaming.model.asked[0].body) == {"a": "\u00e9"}


@pytest.mark.slow
def test_an_empty_answer_has_a_status_too(streaming: Streaming) -> None:
    streaming.model.answering = answer(200, b"", Content_Type="text/plain")
    status, headers, body = streaming.call("/plain", {})
    assert (status, headers["content-type"], body.read()) == (200, "text/plain", b"")


@pytest.mark.slow
def test_the_first_event_arrives_before_the_second_is_made(streaming: Streaming, loop: Background) -> None:
    gate = Gate(loop)
    streaming.model.answering = gate
    body = streaming.call("/plain", {}).body
    assert next(body) == b"data: one\n\n"
    gate.open()
    assert body.read() == b"data: two\n\n"


@pytest.mark.slow
def test_a_caller_that_leaves_ends_the_models_work(streaming: Streaming, loop: Background) -> None:
    gate = Gate(loop)
    streaming.model.answering = gate
    body = streaming.call("/plain", {}).body
    assert next(body) == b"data: one\n\n"
    body.close()
    wait_until(gate.left.is_set, "the model is told that nobody listens")


@pytest.mark.slow
def test_the_function_answers_on_after_callers_that_left(streaming: Streaming) -> None:
    streaming.model.answering = answer(200, b"still here")
    assert streaming.call("/plain", {}).body.read() == b"still here"


@pytest.mark.slow
def test_an_error_in_mid_stream_is_a_well_formed_last_event(streaming: Streaming) -> None:
    streaming.model.answering = streams(b"data: one\n\n", b'data: {"ha', then=exit_at_once)
    status, _, body = streaming.call("/plain", {})
    *events, end = body.read().decode().split("\n\n")
    assert (status, end) == (200, "")
    assert events[0] == "data: one"
    error = json.loads(events[1].removeprefix("data: "))["error"]
    assert len(events) == 2
    assert error["code"] == "model_failed"
    assert error["request_id"] == "the-request"


@pytest.mark.slow
def test_an_error_among_json_lines_is_a_last_line(streaming: Streaming) -> None:
    streaming.model.answering = streams(b'{"a": 1}\n{"b', then=exit_at_once, kind="application/jsonlines")
    first, last = streaming.call("/plain", {}).body.read().splitlines()
    assert json.loads(first) == {"a": 1}
    assert json.loads(last)["error"]["type"] == "model_error"


@pytest.mark.slow
def test_an_answer_that_has_no_place_for_an_error_breaks_off(streaming: Streaming) -> None:
    streaming.model.answering = exit_midway
    body = streaming.call("/plain", {}).body
    with pytest.raises(BrokenAnswerError):
        body.read()


@pytest.mark.slow
def test_an_event_comes_whole_however_it_is_cut(streaming: Streaming) -> None:
    text = 'data: {"token": "\u00e9\u20ac"}\r\n\r\n: keep\n\ndata: x\n\n'.encode()
    streaming.model.answering = streams(*(text[place : place + 1] for place in range(len(text))))
    assert streaming.call("/plain", {}).body.read() == text


@pytest.mark.slow
def test_what_follows_the_last_event_comes_too(streaming: Streaming) -> None:
    streaming.model.answering = streams(b"data: x\n\ndata: y")
    assert streaming.call("/plain", {}).body.read() == b"data: x\n\ndata: y"


@pytest.mark.slow
def test_a_model_that_falls_silent_ends_with_an_error_event(loop: Background) -> None:
    with start_streaming(loop, idle_seconds=0.5) as streaming:
        streaming.model.answering = streams(b"data: one\n\n", then=hang)
        *_, last, _ = streaming.call("/plain", {}).body.read().split(b"\n\n")
        assert json.loads(last.removeprefix(b"data: "))["error"]["code"] == "model_too_slow"
        streaming.model.answering = hang
        assert streaming.call("/plain", {}).status == 504


@pytest.mark.slow
def test_an_answer_ends_before_lambda_ends_the_function(streaming: Streaming) -> None:
    streaming.model.answering = streams(b"data: one\n\n", then=hang)
    body = streaming.host.invoke(build_event("/plain", {}), timeout_seconds=2.5).body
    *_, last, _ = body.read().split(b"\n\n")
    assert json.loads(last.removeprefix(b"data: "))["error"]["code"] == "model_too_slow"


@pytest.mark.slow
def test_every_answer_has_cors_and_the_id_of_its_request(streaming: Streaming) -> None:
    streaming.model.answering = answer(200, b"")
    for path in ("/plain", "/down", "/v1/chat/completions"):
        headers = streaming.call(path, {}).headers
        assert headers["x-request-id"] == "the-request"
        assert {name: headers[name] for name, _ in CORS_HEADERS} == dict(CORS_HEADERS)
