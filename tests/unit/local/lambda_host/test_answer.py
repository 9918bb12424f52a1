"""What a function may return is what API Gateway takes; everything else is malformed.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
(output format of a Lambda function for proxy integration)
"""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from centralized_ml_api.local.lambda_host.answer import Answer, MalformedAnswerError, read_answer

JSON_HEADER = ("Content-Type", "application/json")


def read(result: Any) -> Answer:
    return read_answer(json.dumps(result).encode())


def test_status_headers_and_body_are_the_functions() -> None:
    answer = read({"statusCode": 201, "headers": {"X-A": "b", "Content-Type": "text/x"}, "body": "é"})
    assert answer == Answer(201, (("X-A", "b"), ("Content-Type", "text/x")), "é".encode())


def test_everything_has_a_default() -> None:
    assert read({}) == Answer(200, (JSON_HEADER,), b"")
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
    answer = read({"headers": {"set-cookie": "a=1"}, "multiValueHeaders": {"Set-Cookie": ["b=2", "c=3"]}})
    assert answer.headers == (("Set-Cookie", "b=2"), ("Set-Cookie", "c=3"), JSON_HEADER)


@pytest.mark.parametrize("name", ["Content-Length", "transfer-encoding", "Connection"])
def test_headers_of_the_connection_are_not_the_functions_to_set(name: str) -> None:
    assert read({"headers": {name: "7"}}).headers == (JSON_HEADER,)


@given(st.binary())
def test_base64_gives_back_the_bytes(body: bytes) -> None:
    encoded = base64.b64encode(body).decode()
    assert read({"body": encoded, "isBase64Encoded": True}).body == body


def test_what_is_nested_too_deeply_is_malformed_and_no_fault_of_the_host() -> None:
    deep = b"[" * 100_000 + b"]" * 100_000
    with pytest.raises(MalformedAnswerError, match="something that is not JSON"):
        read_answer(deep)


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (None, "null instead of an object with statusCode, headers and body"),
        ("text", "a string instead of an object with statusCode, headers and body"),
        ([1], "an array instead of an object with statusCode, headers and body"),
        ({"generated_texts": []}, 'the key "generated_texts" beside or instead of'),
        ({"statusCode": "ok"}, "a string as statusCode"),
        ({"statusCode": True}, "a boolean as statusCode"),
        ({"statusCode": 99}, "99 as statusCode"),
        ({"statusCode": 101}, "101 as statusCode"),
        ({"statusCode": 600}, "600 as statusCode"),
        ({"statusCode": None}, "null as statusCode"),
        ({"body": {"a": 1}}, "an object as body, where a string belongs: json.dumps makes one"),
        ({"body": 1}, "a number as body"),
        ({"headers": []}, "an array as headers"),
        ({"multiValueHeaders": "x"}, "a string as multiValueHeaders"),
        ({"headers": {"A": {"b": 1}}}, "an object as the value of the header A"),
        ({"headers": {"A": "x\r\nB: y"}}, "a line break in the value of the header A"),
        ({"headers": {"a b": "x"}}, "a header with the name 'a b'"),
        ({"isBase64Encoded": "yes"}, "a string as isBase64Encoded"),
        ({"body": "!!", "isBase64Encoded": True}, "a body that is not the base64 it is said to be"),
    ],
)
def test_malformed_answers_say_what_is_wrong(result: Any, said: str) -> None:
    with pytest.raises(MalformedAnswerError) as error:
        read(result)
    assert str(error.value).startswith(said)


def test_what_is_not_json_is_malformed() -> None:
    with pytest.raises(MalformedAnswerError, match="not JSON"):
        read_answer(b"\x00")


SCALARS = st.sampled_from([None, True, -1, 1.5, 204, "", "201", "\n", "YQ==", "text"])
JSON_VALUES = SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(st.sampled_from("Aa :"), SCALARS)
KEYS = st.sampled_from(["statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded", "x"])


@given(st.dictionaries(KEYS, JSON_VALUES))
def test_every_result_is_an_answer_or_malformed_and_nothing_else(result: dict[str, Any]) -> None:
    try:
        answer = read(result)
    except MalformedAnswerError:
        return
    assert 200 <= answer.status <= 599
