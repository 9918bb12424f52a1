"""An HTTP request -> the event that API Gateway gives a Lambda function.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
(input format of a Lambda function for proxy integration of a REST API, payload format 1.0)
"""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass
from typing import Any

from centralized_ml_api.local.lambda_host.media import is_binary

STAGE = "prod"

NOT_SHOWN = frozenset(
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
"""Headers of one hop; API Gateway keeps them to itself."""

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came in; `path` and `query` decoded, `received_at` in seconds since 1970."""

    method: str
    path: str
    query: Pairs
    headers: Pairs
    body: bytes
    request_id: str
    peer: str
    received_at: float

    def header(self, name: str) -> str:
        """The last value of a header, or an empty string."""
        return next((value for key, value in reversed(self.headers) if key.lower() == name.lower()), "")


def build_event(received: Received) -> dict[str, Any]:
    """The event. Pure."""
    headers = [
        (_written(name), value)
        for name, value in received.headers
        if name.lower() not in NOT_SHOWN and not name.lower().startswith("x-envoy-")
    ]
    body, is_base64 = _body(received)
    return {
        "resource": received.path,
        "path": received.path,
        "httpMethod": received.method,
        "headers": dict(headers),
        "multiValueHeaders": _grouped(headers),
        "queryStringParameters": dict(received.query) or None,
        "multiValueQueryStringParameters": _grouped(list(received.query)) or None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": _request_context(received),
        "body": body,
        "isBase64Encoded": is_base64,
    }


def _written(name: str) -> str:
    """A header name as clients of API Gateway write it: functions look for `Content-Type`.

    Gateways and HTTP/2 clients send lower case; a name that has a capital is somebody's own choice.
    """
    return "-".join(part.capitalize() for part in name.split("-")) if name.islower() else name


def _grouped(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    return grouped


def _body(received: Received) -> tuple[str | None, bool]:
    """Text as it is; base64 for the API's binary media types and for what is not UTF-8."""
    if not received.body:
        return None, False
    if not is_binary(received.header("content-type")):
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
    """Who called. The gateway appends the caller's address: what stands before it is only a claim."""
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
