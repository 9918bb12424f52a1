"""What a function may return is what API Gateway takes; everything else is malformed.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
(output format of a Lambda function for proxy integration)
"""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from centralized_ml_api.local.lambda_host.response import MalformedResponseError, Response, read_response

JSON_HEADER = ("Content-Type", "application/json")


def read(result: Any) -> Response:
    return read_response(json.dumps(result).encode())


def test_status_headers_and_body_are_the_functions() -> None:
    response = read({"statusCode": 201, "headers": {"X-A": "b", "Content-Type": "text/x"}, "body": "é"})
    assert response == Response(201, (("X-A", "b"), ("Content-Type", "text/x")), "é".encode())


def test_a_half_of_a_character_becomes_a_question_mark() -> None:
    assert read({"body": "a\ud800b"}).body == b"a?b"


def test_everything_has_a_default() -> None:
    assert read({}) == Response(200, (JSON_HEADER,), b"")
    assert read({"headers": None, "multiValueHeaders": None, "body": None, "isBase64Encoded": None}) == read(
        {}
    )


def test_status_may_be_a_string_of_digits() -> None:
    assert read({"statusCode": "404"}).status == 404


def test_header_values_may_be_numbers_and_booleans_and_null_leaves_the_header_out() -> None:
    assert read({"headers": {"A": 1, "B": True, "C": None}}).headers == (
        ("A", "1"),
        ("B", "true"),
        JSON_HEADER,
    )


def test_multi_value_headers_repeat_a_name_and_win_over_headers() -> None:
    response = read({"headers": {"set-cookie": "a=1"}, "multiValueHeaders": {"Set-Cookie": ["b=2", "c=3"]}})
    assert response.headers == (("Set-Cookie", "b=2"), ("Set-Cookie", "c=3"), JSON_HEADER)


@pytest.mark.parametrize("name", ["Content-Length", "transfer-encoding", "Connection"])
def test_headers_of_the_connection_are_not_the_functions_to_set(name: str) -> None:
    assert read({"headers": {name: "7"}}).headers == (JSON_HEADER,)


@settings(deadline=None)
@given(st.binary())
def test_base64_gives_back_the_bytes(body: bytes) -> None:
    encoded = base64.b64encode(body).decode()
    assert read({"body": encoded, "isBase64Encoded": True}).body == body


def test_what_is_nested_too_deeply_is_malformed_and_no_fault_of_the_host() -> None:
    deep = b"[" * 100_000 + b"]" * 100_000
    with pytest.raises(MalformedResponseError, match="something that is not JSON"):
        read_response(deep)


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (None, "null instead of an object with statusCode, headers and body"),
        ("text", "a string instead of an object with statusCode, headers and body"),
        ([1], "an array instead of an object with statusCode, headers and body"),
        (
            {"generated_texts": []},
            'the key "generated_texts", which API Gateway does not accept; it accepts body, ',
        ),
        ({"statusCode": "ok"}, "a string as statusCode"),
        ({"statusCode": True}, "a boolean as statusCode"),
        ({"statusCode": 99}, "99 as statusCode"),
        ({"statusCode": 101}, "101 as statusCode"),
        ({"statusCode": 600}, "600 as statusCode"),
        ({"statusCode": None}, "null as statusCode"),
        ({"body": {"a": 1}}, "an object as body instead of a string: use json.dumps"),
        ({"body": 1}, "a number as body"),
        ({"headers": []}, "an array as headers"),
        ({"multiValueHeaders": "x"}, "a string as multiValueHeaders"),
        ({"headers": {"A": {"b": 1}}}, "an object as the value of the header A"),
        ({"headers": {"A": "x\r\nB: y"}}, "a control character in the value of the header A"),
        ({"headers": {"a b": "x"}}, "a header with the name 'a b'"),
        ({"isBase64Encoded": "yes"}, "a string as isBase64Encoded"),
        (
            {"body": "!!", "isBase64Encoded": True},
            "a body that is not base64, although isBase64Encoded is true",
        ),
    ],
)
def test_malformed_answers_say_what_is_wrong(result: Any, said: str) -> None:
    with pytest.raises(MalformedResponseError) as error:
        read(result)
    assert str(error.value).startswith(said)


def test_what_is_not_json_is_malformed() -> None:
    with pytest.raises(MalformedResponseError, match="not JSON"):
        read_response(b"\x00")


SCALARS = st.sampled_from([None, True, -1, 1.5, 204, "", "201", "\n", "YQ==", "text"])
JSON_VALUES = SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(st.sampled_from("Aa :"), SCALARS)
KEYS = st.sampled_from(["statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded", "x"])


@settings(deadline=None)
@given(st.dictionaries(KEYS, JSON_VALUES))
def test_every_result_is_an_answer_or_malformed_and_nothing_else(result: dict[str, Any]) -> None:
    try:
        response = read(result)
    except MalformedResponseError:
        return
    assert 200 <= response.status <= 599
