"""Which headers pass, as Envoy's header mutations. Envoy keeps names in lower case, so case never matters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.cors import CORS_HEADERS
from centralized_ml_api.local.envoy.complement_regex import build_complement

if TYPE_CHECKING:
    from collections.abc import Iterable

REQUEST_ID = "req-%START_TIME(%s%9f)%-%CONNECTION_ID%"
"""Names one request: when it began, to the nanosecond, and on which connection.

Envoy's own UUID lives in a request header, which is gone for the log and the answer once it is kept from
the model, and which does not exist for a request too broken to have headers. This one is there always, and
the same wherever it is written.
"""

REQUEST_ID_HEADER = "x-request-id"
ANSWER_HEADERS: tuple[tuple[str, str], ...] = ((REQUEST_ID_HEADER, REQUEST_ID), *CORS_HEADERS)
"""On every answer, error or not."""

_REQUEST_FRAMING = ("content-length", "host", "transfer-encoding")
"""HTTP itself needs these; `host` is rewritten, and cannot be removed."""

_ENVOY_NEEDS = ("x-forwarded-proto",)
"""Removed later, by the route: without it here, Envoy finds no route at all."""

_RESPONSE_ALLOWED = (
    "allow",
    "content-length",
    "content-type",
    "date",
    "retry-after",
    "transfer-encoding",
    "x-amzn-sagemaker-custom-attributes",
)
_PSEUDO_HEADERS = (":authority", ":method", ":path", ":protocol", ":scheme", ":status")

OVERWRITE = "OVERWRITE_IF_EXISTS_OR_ADD"
IF_ABSENT = "ADD_IF_ABSENT"
APPEND = "APPEND_IF_EXISTS_OR_ADD"


def build_header(name: str, value: str, action: str = OVERWRITE) -> dict[str, Any]:
    """A header to add, in the form that routes, mappers and mutations share."""
    return {"header": {"key": name, "value": value}, "append_action": action}


AS_JSON = {"append": build_header("content-type", "application/json")}
"""Says that the body is JSON, whatever the caller said."""

WITH_REQUEST_ID = {"append": build_header(REQUEST_ID_HEADER, REQUEST_ID)}
"""Names the request in a header, whatever the caller, or a function, called it."""


def build_answer_headers() -> list[dict[str, Any]]:
    """What every answer carries, replacing whatever an upstream said."""
    return [build_header(name, value) for name, value in ANSWER_HEADERS]


def build_request_mutations(configured: Iterable[str]) -> list[dict[str, Any]]:
    """Only Content-Type, Accept and the configured headers go on; Content-Type is always there."""
    allowed = ("accept", "content-type", *_REQUEST_FRAMING, *_ENVOY_NEEDS, *configured)
    return [
        _remove_all_but(allowed),
        {"append": build_header("content-type", "application/json", IF_ABSENT)},
    ]


def build_function_request_mutations() -> list[dict[str, Any]]:
    """A function sees the call as API Gateway would show it, with the caller at the end of X-Forwarded-For.

    Envoy's own X-Forwarded-For names an address of this machine when the caller is on loopback.
    """
    forwarded = build_header("x-forwarded-for", "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%", APPEND)
    return [
        {"remove_on_match": {"key_matcher": {"prefix": "x-envoy-"}}},
        {"append": forwarded},
        WITH_REQUEST_ID,
    ]


def build_response_mutations() -> list[dict[str, Any]]:
    """The contract's response headers and no others.

    The API's own are added after the removal, by the same filter, which also sees the errors that Envoy
    makes for the route: the model's CORS headers cannot double up with them.
    """
    return [_remove_all_but(_RESPONSE_ALLOWED), *({"append": one} for one in build_answer_headers())]


def build_function_response_mutations() -> list[dict[str, Any]]:
    """A function's own headers stay, its CORS headers too; what only concerns the gateway does not."""
    cors = ({"append": build_header(name, value, IF_ABSENT)} for name, value in CORS_HEADERS)
    return [
        {"remove": "server"},
        {"remove_on_match": {"key_matcher": {"prefix": "x-envoy-"}}},
        WITH_REQUEST_ID,
        *cors,
    ]


def _remove_all_but(names: Iterable[str]) -> dict[str, Any]:
    pattern = build_complement([*_PSEUDO_HEADERS, *(name.lower() for name in names)])
    return {"remove_on_match": {"key_matcher": {"safe_regex": {"regex": pattern}}}}
