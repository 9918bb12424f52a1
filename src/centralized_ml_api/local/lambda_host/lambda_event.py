"""Builds the event that API Gateway passes to a Lambda function for an HTTP request.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
(input format of a Lambda function for proxy integration of a REST API, payload format 1.0)
"""

from __future__ import annotations

import base64
import time
from typing import Any

from centralized_ml_api.record import record

STAGE = "prod"

HOP_BY_HOP = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that concern a single connection; API Gateway does not pass them on."""

BINARY_TYPES = frozenset(
    {
        "application/octet-stream",
        "application/pdf",
        "application/x-npy",
        "application/zip",
        "multipart/form-data",
    }
)
BINARY_FAMILIES = frozenset({"audio", "image", "video"})
"""With `BINARY_TYPES`, the media types that API Gateway gets as `binaryMediaTypes`."""

Pairs = tuple[tuple[str, str], ...]


@record
class Received:
    """A request as it arrived; `path` and `query` are decoded, `received_at` is in seconds since 1970."""

    method: str
    path: str
    query: Pairs
    headers: Pairs
    body: bytes
    request_id: str
    peer: str
    received_at: float

    def header(self, name: str) -> str:
        """Returns the last value of a header, or an empty string."""
        return next((value for key, value in reversed(self.headers) if key.lower() == name.lower()), "")


def build_lambda_event(received: Received) -> dict[str, Any]:
    """Builds the event. Pure."""
    headers = [
        (_capitalize(name), value)
        for name, value in received.headers
        if name.lower() not in HOP_BY_HOP and not name.lower().startswith("x-envoy-")
    ]
    body, is_base64 = _body(received)
    return {
        "resource": received.path,
        "path": received.path,
        "httpMethod": received.method,
        "headers": dict(headers),
        "multiValueHeaders": _group(headers),
        "queryStringParameters": dict(received.query) or None,
        "multiValueQueryStringParameters": _group(list(received.query)) or None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": _request_context(received),
        "body": body,
        "isBase64Encoded": is_base64,
    }


def _capitalize(name: str) -> str:
    """Writes a header name as clients of API Gateway do: functions look for `Content-Type`.

    Gateways and HTTP/2 clients send lower case. A name with a capital letter was chosen by the caller and
    stays.
    """
    return "-".join(part.capitalize() for part in name.split("-")) if name.islower() else name


def _group(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    return grouped


def _body(received: Received) -> tuple[str | None, bool]:
    """Returns text unchanged, and base64 for binary media types and for bytes that are not UTF-8."""
    if not received.body:
        return None, False
    media_type = received.header("content-type").partition(";")[0].strip().lower()
    if media_type not in BINARY_TYPES and media_type.partition("/")[0] not in BINARY_FAMILIES:
        try:
            return received.body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(received.body).decode(), True


def _request_context(received: Received) -> dict[str, Any]:
    return {
        "accountId": "000000000000",
        "apiId": "local",
        "domainName": received.header("host"),
        "domainPrefix": received.header("host").partition(".")[0],
        "extendedRequestId": received.request_id,
        "httpMethod": received.method,
        "identity": _identity(received),
        "path": f"/{STAGE}{received.path}",
        "protocol": "HTTP/1.1",
        "requestId": received.request_id,
        "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(received.received_at)),
        "requestTimeEpoch": int(received.received_at * 1000),
        "resourceId": "local",
        "resourcePath": received.path,
        "stage": STAGE,
    }


def _identity(received: Received) -> dict[str, str | None]:
    """Identifies the caller. Only the address that the gateway appended counts: the rest can be forged."""
    forwarded = received.header("x-forwarded-for").rpartition(",")[2].strip()
    return {
        "accessKey": None,
        "accountId": None,
        "caller": None,
        "cognitoAuthenticationProvider": None,
        "cognitoAuthenticationType": None,
        "cognitoIdentityId": None,
        "cognitoIdentityPoolId": None,
        "principalOrgId": None,
        "sourceIp": forwarded or received.peer,
        "user": None,
        "userAgent": received.header("user-agent") or None,
        "userArn": None,
    }
