"""The event is API Gateway's (REST, Lambda proxy, payload 1.0).

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
(input format of a Lambda function for proxy integration)
"""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from centralized_ml_api.local.lambda_host.lambda_event import Received, build_lambda_event

RECEIVED = Received(
    method="POST",
    path="/open-llama",
    query=(("tag", "a"), ("tag", "b c"), ("n", "1")),
    headers=(
        ("host", "localhost:8080"),
        ("content-type", "application/json"),
        ("accept", "text/plain"),
        ("accept", "*/*"),
        ("x-forwarded-for", "6.6.6.6, 10.0.0.9"),
        ("user-agent", "curl/8"),
        ("content-length", "7"),
        ("connection", "keep-alive"),
        ("x-envoy-expected-rq-timeout-ms", "29000"),
        ("x-amzn-SageMaker-Custom-Attributes", "c1"),
    ),
    body=b'{"a":1}',
    request_id="abc",
    peer="127.0.0.1",
    received_at=1428582896.0,
)
EVENT = build_lambda_event(RECEIVED)
KEYS = {
    "resource",
    "path",
    "httpMethod",
    "headers",
    "multiValueHeaders",
    "queryStringParameters",
    "multiValueQueryStringParameters",
    "pathParameters",
    "stageVariables",
    "requestContext",
    "body",
    "isBase64Encoded",
}


AGENT = (("user-agent", "curl/8"),)


def event_of(**changes: Any) -> dict[str, Any]:
    return build_lambda_event(replace(RECEIVED, **changes))


def typed(content_type: str, body: bytes) -> dict[str, Any]:
    return event_of(headers=(("content-type", content_type),), body=body)


def test_event_has_exactly_the_documented_keys() -> None:
    assert set(EVENT) == KEYS


def test_path_and_method_are_the_callers_and_the_context_names_the_stage() -> None:
    assert (EVENT["resource"], EVENT["path"], EVENT["httpMethod"]) == ("/open-llama", "/open-llama", "POST")
    context = EVENT["requestContext"]
    assert (context["stage"], context["path"], context["resourcePath"]) == (
        "prod",
        "/prod/open-llama",
        "/open-llama",
    )


def test_header_names_in_lower_case_are_written_as_functions_look_them_up() -> None:
    assert EVENT["headers"]["Content-Type"] == "application/json"
    assert EVENT["headers"]["User-Agent"] == "curl/8"


def test_header_names_with_a_capital_stay_as_they_came() -> None:
    assert EVENT["headers"]["x-amzn-SageMaker-Custom-Attributes"] == "c1"


def test_headers_keep_the_last_value_and_multi_value_headers_all() -> None:
    assert EVENT["headers"]["Accept"] == "*/*"
    assert EVENT["multiValueHeaders"]["Accept"] == ["text/plain", "*/*"]


@pytest.mark.parametrize("name", ["Connection", "Content-Length", "X-Envoy-Expected-Rq-Timeout-Ms"])
def test_headers_of_one_hop_and_of_the_gateway_are_not_shown(name: str) -> None:
    assert name not in EVENT["headers"]
    assert name not in EVENT["multiValueHeaders"]


def test_query_keeps_the_last_value_and_multi_value_query_all() -> None:
    assert EVENT["queryStringParameters"] == {"tag": "b c", "n": "1"}
    assert EVENT["multiValueQueryStringParameters"] == {"tag": ["a", "b c"], "n": ["1"]}


def test_no_query_is_null() -> None:
    event = event_of(query=())
    assert event["queryStringParameters"] is None
    assert event["multiValueQueryStringParameters"] is None


def test_source_address_is_the_one_that_the_gateway_saw_not_the_one_that_was_claimed() -> None:
    assert EVENT["requestContext"]["identity"]["sourceIp"] == "10.0.0.9"
    assert event_of(headers=())["requestContext"]["identity"]["sourceIp"] == "127.0.0.1"


def test_the_user_agent_is_the_callers_or_null() -> None:
    agents = [event_of(headers=headers)["requestContext"]["identity"]["userAgent"] for headers in (AGENT, ())]
    assert agents == ["curl/8", None]


def test_times_are_the_documented_two_forms() -> None:
    context = EVENT["requestContext"]
    assert context["requestTime"] == "09/Apr/2015:12:34:56 +0000"
    assert context["requestTimeEpoch"] == 1428582896000


def test_request_id_is_the_gateways() -> None:
    assert EVENT["requestContext"]["requestId"] == "abc"


def test_text_body_is_text() -> None:
    assert (EVENT["body"], EVENT["isBase64Encoded"]) == ('{"a":1}', False)


def test_empty_body_is_null() -> None:
    event = event_of(body=b"")
    assert (event["body"], event["isBase64Encoded"]) == (None, False)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/octet-stream",
        "application/x-npy",
        "application/pdf",
        "application/zip",
        "multipart/form-data; boundary=x",
        "IMAGE/PNG",
        "audio/wav",
        "video/mp4",
    ],
)
def test_binary_media_types_are_base64_even_where_they_could_be_text(content_type: str) -> None:
    event = typed(content_type, b"text")
    assert (event["body"], event["isBase64Encoded"]) == (base64.b64encode(b"text").decode(), True)


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/xml", ""])
def test_other_media_types_are_text_and_base64_where_they_are_not_utf8(content_type: str) -> None:
    assert typed(content_type, "é".encode())["body"] == "é"
    event = typed(content_type, b"\xff\xfe")
    assert (base64.b64decode(event["body"]), event["isBase64Encoded"]) == (b"\xff\xfe", True)


def test_event_is_json() -> None:
    assert json.loads(json.dumps(EVENT)) == EVENT
