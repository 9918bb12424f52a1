"""The event of a function and its answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contract.interpreter.examples import api, methods, request
from support.api_gateway.lambda_proxy import build_event, read_answer
from support.api_gateway.message import GatewayError, Request
from support.api_gateway.routing import find_route
from support.api_gateway.templates import Context

CONTEXT = {"stage": "prod", "identity": {"sourceIp": "IP"}}
FORWARDED = {"X-Forwarded-For": "IP", "X-Forwarded-Port": "443", "X-Forwarded-Proto": "https"}


def test_a_function_gets_the_documented_event() -> None:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html"""
    rest = api({"/my/{path+}": methods("post")})
    sent = Request(
        "POST",
        "/my/path",
        (("parameter1", "value1"), ("parameter1", "value2"), ("parameter2", "value")),
        (("header1", "value1"), ("header1", "value2"), ("header2", "value")),
        b"Hello from client!",
        "an-id",
    )
    event = build_event(rest, sent, find_route(rest, "POST", "/my/path"), Context(CONTEXT))
    assert event == {
        "resource": "/my/{path+}",
        "path": "/my/path",
        "httpMethod": "POST",
        "headers": {"header1": "value2", "header2": "value", **FORWARDED},
        "multiValueHeaders": {
            "header1": ["value1", "value2"],
            "header2": ["value"],
            **{name: [value] for name, value in FORWARDED.items()},
        },
        "queryStringParameters": {"parameter1": "value2", "parameter2": "value"},
        "multiValueQueryStringParameters": {"parameter1": ["value1", "value2"], "parameter2": ["value"]},
        "pathParameters": {"path": "path"},
        "stageVariables": None,
        "requestContext": CONTEXT,
        "body": "Hello from client!",
        "isBase64Encoded": False,
    }


def test_a_functions_headers_are_merged() -> None:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html"""
    result = {
        "statusCode": 201,
        "headers": {"header1": "value", "header2": "one"},
        "multiValueHeaders": {"header1": ["value1", "value2"]},
        "body": "Hello",
    }
    answer = read_answer(api(), request(), json.dumps(result).encode())
    assert (answer.status, answer.body) == (201, b"Hello")
    assert answer.headers == (
        ("header2", "one"),
        ("header1", "value1"),
        ("header1", "value2"),
        ("content-type", "application/json"),
    )


@pytest.mark.parametrize(
    ("accept", "body"), [("image/png", b"\xff\x00"), ("text/html", b"/wA="), (None, b"/wA=")]
)
def test_a_functions_base64_is_bytes_for_who_accepts_them(accept: str | None, body: bytes) -> None:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/lambda-proxy-binary-media.html"""
    result = {"statusCode": 200, "isBase64Encoded": True, "body": "/wA="}
    rest = api(binary_media_types=["image/png"])
    answer = read_answer(rest, request(Accept=accept), json.dumps(result).encode())
    assert answer.body == body


@pytest.mark.parametrize("result", [[], "text", None, {"errorMessage": "it raised"}, {"body": {"a": 1}}])
def test_what_is_no_answer_is_502(result: Any) -> None:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/handle-errors-in-lambda-integration.html"""
    with pytest.raises(GatewayError) as failed:
        read_answer(api(), request(), json.dumps(result).encode())
    assert failed.value.status == 502
