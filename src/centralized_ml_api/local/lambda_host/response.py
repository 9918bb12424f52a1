"""Turns what a function returned into an HTTP response, by the rules of API Gateway's proxy integration.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
(output format of a Lambda function for proxy integration)
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any

from centralized_ml_api.record import record

KEYS = frozenset({"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"})
LOWEST_STATUS, HIGHEST_STATUS = 200, 599
_CONNECTION_HEADERS = frozenset(
    {"connection", "content-length", "keep-alive", "transfer-encoding", "upgrade"}
)
_HEADER_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class MalformedResponseError(ValueError):
    """A result that API Gateway does not accept as a response; it answers 502."""


@record
class Response:
    """An HTTP response; `headers` may hold a name several times."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def read_response(payload: bytes) -> Response:
    """Returns the response that the function's result, as JSON, describes. Pure.

    Raises:
        MalformedResponseError: With the reason, which completes "the function returned ...".
    """
    try:
        result = json.loads(payload)
    except (ValueError, RecursionError) as error:  # JSON nested too deeply to be read helps no caller either
        raise MalformedResponseError("something that is not JSON") from error
    if not isinstance(result, dict):
        raise MalformedResponseError(
            f"{_describe_kind(result)} instead of an object with statusCode, headers and body"
        )
    if unknown := sorted(result.keys() - KEYS):
        raise MalformedResponseError(
            f'the key "{unknown[0]}", which API Gateway does not accept; it accepts {", ".join(sorted(KEYS))}'
        )
    return Response(_read_status(result), _read_headers(result), _read_body(result))


def _read_status(result: dict[str, Any]) -> int:
    status = result.get("statusCode", 200)
    if isinstance(status, str) and status.isascii() and status.isdigit():
        status = int(status)
    if isinstance(status, bool) or not isinstance(status, int):
        raise MalformedResponseError(f"{_describe_kind(status)} as statusCode")
    if not LOWEST_STATUS <= status <= HIGHEST_STATUS:
        raise MalformedResponseError(f"{status} as statusCode")
    return status


def _read_headers(result: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Merges both header objects; for a name that is in both, only `multiValueHeaders` counts."""
    many = _read_object(result, "multiValueHeaders")
    named = {name.lower() for name in many}
    single = {
        name: [value] for name, value in _read_object(result, "headers").items() if name.lower() not in named
    }
    pairs = tuple(
        _read_header(name, value)
        for name, values in {**single, **many}.items()
        for value in (values if isinstance(values, list) else [values])
        if name.lower() not in _CONNECTION_HEADERS and value is not None
    )
    if any(name.lower() == "content-type" for name, _ in pairs):
        return pairs
    return (*pairs, ("Content-Type", "application/json"))


def _read_object(result: dict[str, Any], key: str) -> dict[str, Any]:
    value = result.get(key)
    if value is not None and not isinstance(value, dict):
        raise MalformedResponseError(f"{_describe_kind(value)} as {key}")
    return value or {}


def _read_header(name: str, value: Any) -> tuple[str, str]:
    if not _HEADER_NAME.fullmatch(name):
        raise MalformedResponseError(f"a header with the name {name!r}")
    if isinstance(value, dict | list):
        raise MalformedResponseError(f"{_describe_kind(value)} as the value of the header {name}")
    text = value if isinstance(value, str) else json.dumps(value)
    if _CONTROL.search(text):
        raise MalformedResponseError(f"a control character in the value of the header {name}")
    return name, text


def _read_body(result: dict[str, Any]) -> bytes:
    body = result.get("body")
    if body is not None and not isinstance(body, str):
        raise MalformedResponseError(f"{_describe_kind(body)} as body instead of a string: use json.dumps")
    encoded = result.get("isBase64Encoded")
    if encoded is not None and not isinstance(encoded, bool):
        raise MalformedResponseError(f"{_describe_kind(encoded)} as isBase64Encoded")
    if not encoded:
        return (body or "").encode(errors="replace")  # a half of a character is none in UTF-8
    try:
        return base64.b64decode(body or "", validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedResponseError("a body that is not base64, although isBase64Encoded is true") from error


def _describe_kind(value: Any) -> str:
    """Names the type of a JSON value without showing the value."""
    if value is None:
        return "null"
    kinds = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "an array"}
    return kinds.get(type(value), "an object")
