"""A function sees the event of API Gateway's proxy integration and answers all of it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.error_shape import ApiError
from contract.case import AWS, JSON, Bytes, Case, Expected, Json, Request, render_json

if TYPE_CHECKING:
    from support.running_gateway import Answer

_PNG = b"\x89PNG\r\n\x1a\n\xff\x00"
_TEXT = "it's é".encode()
OWN_CORS = {"access-control-allow-origin": "*", "access-control-expose-headers": "x-request-id,Retry-After"}
_OF_A_FUNCTION: dict[str, Any] = {"cors": False, "anonymous_on_aws": True}


@dataclass(frozen=True)
class Event:
    """The event that the function was given: these members, headers, and parts of its `requestContext`."""

    members: Mapping[str, Any]
    headers: Mapping[str, str]

    def check(self, answer: Answer) -> None:
        """Compares them."""
        route = {"path": "/function", "httpMethod": "POST", "resource": "/function"}
        Json({**route, **self.members}).check(answer)
        event = answer.json
        assert {name: event["headers"].get(name) for name in self.headers} == self.headers, event["headers"]
        for name in ("X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto"):
            assert event["headers"].get(name), event["headers"]
        context = event["requestContext"]
        assert context["identity"]["sourceIp"] == "127.0.0.1", context
        assert (context["stage"], context["path"]) == ("prod", "/prod/function"), context
        assert (context["httpMethod"], context["resourcePath"]) == ("POST", "/function"), context


@dataclass(frozen=True)
class OwnRefusal:
    """The one shape of errors, made by the function."""

    error: ApiError

    def check(self, answer: Answer) -> None:
        """Compares it."""
        assert answer.error.keys() == {"message", "type", "code", "request_id"}, answer
        assert (answer.error["type"], answer.error["code"]) == (self.error.type, self.error.code), answer
        assert answer.error["request_id"] in {
            answer.header("x-request-id"),
            answer.header("x-amzn-requestid"),
        }


def _case(name: str, path: str, sent: bytes, headers: Mapping[str, str], **members: Any) -> Case:
    seen = {"isBase64Encoded": False, "queryStringParameters": None, **members}
    expected = Expected(200, Event(seen, headers), "application/json", anonymous_on_aws=True)
    return Case(name, Request(path, sent, headers=headers), expected)


CASES = [
    _case(
        "a function gets a text as it is, with every header",
        "/function",
        _TEXT,
        {"Content-Type": "text/plain", "Authorization": "Bearer x", "X-Own": "a"},
        body=_TEXT.decode(),
    ),
    _case(
        "a function gets bytes as base64",
        "/function",
        _PNG,
        {"Content-Type": "image/png"},
        body=base64.b64encode(_PNG).decode(),
        isBase64Encoded=True,
    ),
    _case(
        "a function gets no body as null", "/function", b"", {"Content-Type": "application/json"}, body=None
    ),
    _case(
        "a function gets the query, decoded, and every value of it",
        "/function?a=1&a=2&b=%20%26",
        render_json({}),
        {"Content-Type": "application/json"},
        body="{}",
        queryStringParameters={"a": "2", "b": " &"},
        multiValueQueryStringParameters={"a": ["1", "2"], "b": [" &"]},
    ),
    Case(
        "the original's body gets the original's answer",
        Request("/translated", render_json({"text_inputs": "it is so"}), headers={"Content-Type": JSON}),
        Expected(200, Json({"generated_texts": ["it is so"]}), JSON, OWN_CORS, **_OF_A_FUNCTION),
    ),
    Case(
        "a function's own error has the one shape, and names the request",
        Request("/translated", render_json({"text_inputs": 7}), headers={"Content-Type": JSON}),
        Expected(400, OwnRefusal(errors.INVALID_BODY), JSON, OWN_CORS, **_OF_A_FUNCTION),
    ),
    Case(
        "a function says that its model sleeps",
        Request("/asleep-function", render_json({"text_inputs": "it is so"}), headers={"Content-Type": JSON}),
        Expected(
            503, OwnRefusal(errors.MODEL_WAKING), JSON, {**OWN_CORS, "retry-after": "60"}, **_OF_A_FUNCTION
        ),
        only=AWS,  # on one machine the gateway already knows
    ),
    Case(
        "a function's bytes are bytes for callers that accept them",
        Request("/function?act=image", _PNG, headers={"Content-Type": "image/png", "Accept": "image/png"}),
        Expected(200, Bytes(_PNG), "image/png", anonymous_on_aws=True),
    ),
]
