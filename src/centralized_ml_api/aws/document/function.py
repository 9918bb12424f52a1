"""`POST /{name}` to a Lambda function, which sees the whole request and answers all of it."""

from __future__ import annotations

from typing import Any

from centralized_ml_api.plan.types import GATEWAY_TIMEOUT_SECONDS


def build_function(uri: str, role: str) -> dict[str, Any]:
    """Responses and integration of the operation.

    The API calls the function by its own role, so no function needs a permission that names the API.
    """
    return {
        "responses": {"200": {"description": ""}},
        "x-amazon-apigateway-integration": {
            "type": "aws_proxy",
            "httpMethod": "POST",
            "uri": uri,
            "credentials": role,
            "passthroughBehavior": "when_no_match",
            "timeoutInMillis": GATEWAY_TIMEOUT_SECONDS * 1000,
        },
    }
