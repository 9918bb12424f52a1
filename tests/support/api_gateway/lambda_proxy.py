"""A request as a function's event, and what the function returns as an answer.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from support.api_gateway.content_types import BINARY, decode, first_accepted, kind_of
from support.api_gateway.message import GatewayError, Response

if TYPE_CHECKING:
    from collections.abc import Iterable

    from support.api_gateway.document import RestApi
    from support.api_gateway.message import Pairs, Request
    from support.api_gateway.routing import Route
    from support.api_gateway.templates import Context

_KEYS = {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}


def build_event(api: RestApi, request: Request, route: Route, context: Context) -> dict[str, Any]:
    """The event: a body of a binary media type as base64, any other as text.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/lambda-proxy-binary-media.html
    """
    binary = kind_of(request.content_type, api.binary_media_types) == BINARY
    encoded = base64.b64encode(request.body).decode() if binary else request.body.decode(errors="replace")
    headers = (*request.headers, *_forwarded(context))
    return {
        "resource": route.resource,
        "path": request.path,
        "httpMethod": request.method,
        "headers": dict(headers),
        "multiValueHeaders": _many(headers),
        "queryStringParameters": dict(request.query) or None,
        "multiValueQueryStringParameters": _many(request.query) or None,
        "pathParameters": dict(route.path_parameters) or None,
        "stageVariables": None,
        "requestContext": dict(context.values),
        "body": encoded or None,
        "isBase64Encoded": binary and bool(encoded),
    }


def read_answer(api: RestApi, request: Request, payload: bytes) -> Response:
    """The answer; anything in another form than this is a 502.

    Base64 is decoded where the function says so and the caller accepts a binary media type first.
    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/lambda-proxy-binary-media.html
    """
    result = _check(payload)
    body = str(result.get("body") or "").encode()
    accepts = kind_of(first_accepted(request.header("Accept")), api.binary_media_types)
    if result.get("isBase64Encoded") and accepts == BINARY:
        body = decode(body)
    headers = tuple(_answer_headers(result))
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers = (*headers, ("content-type", "application/json"))
    return Response(int(result.get("statusCode", 200)), headers, body)


def _forwarded(context: Context) -> Pairs:
    """What API Gateway adds to the client's own headers, as in the page's example of an event."""
    return (
        ("X-Forwarded-For", context.value("identity.sourceIp") or ""),
        ("X-Forwarded-Port", "443"),
        ("X-Forwarded-Proto", "https"),
    )


def _check(payload: bytes) -> dict[str, Any]:
    """Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/handle-errors-in-lambda-integration.html."""
    result = json.loads(payload)
    if not isinstance(result, dict) or result.keys() - _KEYS or not isinstance(result.get("body", ""), str):
        raise GatewayError("DEFAULT_5XX", "Internal server error", 502)
    return result


def _answer_headers(result: dict[str, Any]) -> Iterable[tuple[str, str]]:
    """Both kinds together; where both name a header, only `multiValueHeaders` counts."""
    many: dict[str, list[str]] = result.get("multiValueHeaders") or {}
    single: dict[str, str] = result.get("headers") or {}
    for name, value in single.items():
        if name not in many:
            yield name, str(value)
    for name, values in many.items():
        yield from ((name, str(value)) for value in values)


def _many(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = defaultdict(list)
    for name, value in pairs:
        grouped[name].append(value)
    return dict(grouped)
