"""What a function returned -> the HTTP response, by the rules of API Gateway's proxy integration.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
(output format of a Lambda function for proxy integration)
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import Any

KEYS = frozenset({"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"})
LOWEST_STATUS, HIGHEST_STATUS = 200, 599
_NOT_OURS = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding", "upgrade"})
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class MalformedAnswerError(ValueError):
    """The function returned something that API Gateway does not take for a response; it answers 502."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: a name may come several times in `headers`."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def read_answer(payload: bytes) -> Answer:
    """The response that the function's result, as JSON, stands for. Pure.

    Raises:
        MalformedAnswerError: with what is wrong, as the end of "the function returned ...".
    """
    try:
        result = json.loads(payload)
    except (ValueError, RecursionError) as error:  # nested too deeply to be read, it helps no caller either
        raise MalformedAnswerError("something that is not JSON") from error
    if not isinstance(result, dict):
        raise MalformedAnswerError(f"{_kind(result)} instead of an object with statusCode, headers and body")
    if unknown := sorted(result.keys() - KEYS):
        raise MalformedAnswerError(f'the key "{unknown[0]}" beside or instead of {", ".join(sorted(KEYS))}')
    return Answer(_status(result), _headers(result), _body(result))


def _status(result: dict[str, Any]) -> int:
    status = result.get("statusCode", 200)
    if isinstance(status, str) and status.isascii() and status.isdigit():
        status = int(status)
    if isinstance(status, bool) or not isinstance(status, int):
        raise MalformedAnswerError(f"{_kind(status)} as statusCode")
    if not LOWEST_STATUS <= status <= HIGHEST_STATUS:
        raise MalformedAnswerError(f"{status} as statusCode")
    return status


def _headers(result: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Both header objects together; where both have a name, only the values of `multiValueHeaders` count."""
    many = _object(result, "multiValueHeaders")
    named = {name.lower() for name in many}
    single = {
        name: [value] for name, value in _object(result, "headers").items() if name.lower() not in named
    }
    pairs = tuple(
        (_header_name(name), _header_value(name, value))
        for name, values in {**single, **many}.items()
        for value in (values if isinstance(values, list) else [values])
        if name.lower() not in _NOT_OURS and value is not None
    )
    if any(name.lower() == "content-type" for name, _ in pairs):
        return pairs
    return (*pairs, ("Content-Type", "application/json"))


def _object(result: dict[str, Any], key: str) -> dict[str, Any]:
    value = result.get(key)
    if value is not None and not isinstance(value, dict):
        raise MalformedAnswerError(f"{_kind(value)} as {key}")
    return value or {}


def _header_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise MalformedAnswerError(f"a header with the name {name!r}")
    return name


def _header_value(name: str, value: Any) -> str:
    if isinstance(value, dict | list):
        raise MalformedAnswerError(f"{_kind(value)} as the value of the header {name}")
    text = value if isinstance(value, str) else json.dumps(value)
    if _CONTROL.search(text):
        raise MalformedAnswerError(f"a line break in the value of the header {name}")
    return text


def _body(result: dict[str, Any]) -> bytes:
    body = result.get("body")
    if body is not None and not isinstance(body, str):
        raise MalformedAnswerError(f"{_kind(body)} as body, where a string belongs: json.dumps makes one")
    encoded = result.get("isBase64Encoded")
    if encoded is not None and not isinstance(encoded, bool):
        raise MalformedAnswerError(f"{_kind(encoded)} as isBase64Encoded")
    if not encoded:
        return (body or "").encode(errors="surrogatepass")
    try:
        return base64.b64decode(body or "", validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedAnswerError("a body that is not the base64 it is said to be") from error


def _kind(value: Any) -> str:
    """A JSON value in words, without showing it."""
    if value is None:
        return "null"
    kinds = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "an array"}
    return kinds.get(type(value), "an object")
