"""Conversions of bodies: both tables of AWS, row by row."""

from __future__ import annotations

import pytest

from support.api_gateway.content_types import (
    BINARY,
    REQUESTS,
    RESPONSES,
    TEXT,
    TO_BINARY,
    TO_TEXT,
    convert_request,
    convert_response,
    first_accepted,
    kind_of,
)
from support.api_gateway.message import GatewayError


# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html
@pytest.mark.parametrize(
    ("kind", "handling", "sent", "expected"),
    [
        (TEXT, None, "é".encode(), "é".encode()),
        (TEXT, TO_BINARY, b"/w==", b"\xff"),
        (TEXT, TO_TEXT, b"text", b"text"),
        (BINARY, None, b"\xff", b"\xff"),
        (BINARY, TO_BINARY, b"\xff", b"\xff"),
        (BINARY, TO_TEXT, b"\xff", b"/w=="),
    ],
)
def test_a_request_is_converted_as_the_table_says(
    kind: str, handling: str | None, sent: bytes, expected: bytes
) -> None:
    assert convert_request(sent, kind, handling) == expected


@pytest.mark.parametrize(
    ("kind", "accepted", "handling", "answered", "expected"),
    [
        (TEXT, TEXT, None, b"text", b"text"),
        (TEXT, TEXT, TO_BINARY, b"/w==", b"\xff"),
        (TEXT, TEXT, TO_TEXT, b"text", b"text"),
        (TEXT, BINARY, None, b"/w==", b"\xff"),
        (TEXT, BINARY, TO_BINARY, b"/w==", b"\xff"),
        (TEXT, BINARY, TO_TEXT, b"text", b"text"),
        (BINARY, TEXT, None, b"\xff", b"/w=="),
        (BINARY, TEXT, TO_BINARY, b"\xff", b"\xff"),
        (BINARY, TEXT, TO_TEXT, b"\xff", b"/w=="),
        (BINARY, BINARY, None, b"\xff", b"\xff"),
        (BINARY, BINARY, TO_BINARY, b"\xff", b"\xff"),
        (BINARY, BINARY, TO_TEXT, b"\xff", b"/w=="),
    ],
)
def test_an_answer_is_converted_as_the_table_says(
    kind: str, accepted: str, handling: str | None, answered: bytes, expected: bytes
) -> None:
    assert convert_response(answered, kind, accepted, handling) == expected


def test_the_tables_are_whole() -> None:
    assert (len(REQUESTS), len(RESPONSES)) == (2 * 3, 2 * 2 * 3)


def test_only_the_first_type_of_accept_counts() -> None:
    """The page's own example."""
    accept = "image/webp,image/*,*/*;q=0.8"
    assert first_accepted(accept) == "image/webp"
    assert kind_of(first_accepted(accept), ["image/webp"]) == BINARY
    assert kind_of(first_accepted(accept), ["image/jpeg"]) == TEXT


def test_base64_that_is_none_is_a_mistake_of_the_api() -> None:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html"""
    with pytest.raises(GatewayError) as failed:
        convert_response(b'{"a": 1}', TEXT, BINARY, None)
    assert failed.value.kind == "API_CONFIGURATION_ERROR"
