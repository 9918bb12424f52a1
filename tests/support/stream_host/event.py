"""Events of a Lambda proxy integration, as a REST API makes them.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

REQUEST_ID = "the-request"


def build_event(
    path: str,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
    *,
    method: str = "POST",
    request_id: str = REQUEST_ID,
    team: str | None = None,
    parameters: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """A request, of a team where the authorizer names it, with the parameters of its path.

    Bytes go in base64, as those of a binary media type, other values as JSON.
    """
    is_binary = isinstance(body, bytes)
    given = dict(headers or {})
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": given,
        "multiValueHeaders": {name: [value] for name, value in given.items()},
        "queryStringParameters": None,
        "pathParameters": dict(parameters) if parameters else None,
        "requestContext": {
            "requestId": request_id,
            "stage": "prod",
            "resourcePath": path,
            **({"authorizer": {"refused": "[]", "team": team}} if team else {}),
        },
        "body": base64.b64encode(body).decode() if is_binary else json.dumps(body),
        "isBase64Encoded": is_binary,
    }
