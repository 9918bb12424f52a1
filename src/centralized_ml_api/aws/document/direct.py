"""`POST /{name}` straight to a SageMaker endpoint: bodies pass as they are, errors in the one shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.openapi import CUSTOM_ATTRIBUTES, build_header_parameter
from centralized_ml_api.aws.document.response import (
    MadeResponse,
    PassedResponse,
    Response,
    build_integration_responses,
    build_responses,
)
from centralized_ml_api.aws.document.templates import (
    render_fixed,
    render_model_error,
    render_not_now,
    render_refusal,
)
from centralized_ml_api.plan.types import BODY_LIMIT_BYTES, GATEWAY_TIMEOUT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable

PASSED_ALWAYS = ("Content-Type", "Accept")
"""Without a Content-Type, API Gateway says `application/json`, to us and to SageMaker.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/integration-passthrough-behaviors.html
"""

BODY_TOO_LARGE = errors.BODY_TOO_LARGE.with_message(
    "over_limit", megabytes=BODY_LIMIT_BYTES // 1024 // 1024, bytes=BODY_LIMIT_BYTES
)
_ANSWER_HEADERS = {
    name: f"integration.response.header.{name}" for name in ("Content-Type", CUSTOM_ATTRIBUTES)
}
"""Unmapped, API Gateway calls every answer `application/json`, an image too."""

RESPONSES: list[Response] = [
    PassedResponse(r"2\d{2}", 200, _ANSWER_HEADERS),
    MadeResponse("400", 400, render_refusal()),
    MadeResponse("413", 413, render_fixed(BODY_TOO_LARGE)),
    MadeResponse("424", 424, render_model_error()),
    MadeResponse("429", 429, render_not_now()),
    MadeResponse("500|530", 500, render_fixed(errors.API_FAILED)),
    MadeResponse("503", 503, render_fixed(errors.MODEL_NOT_READY)),
    MadeResponse("504", 504, render_fixed(errors.MODEL_TOO_SLOW)),
    MadeResponse("default", 502, render_fixed(errors.MODEL_FAILED.with_message("endpoint_not_called"))),
]
"""By SageMaker's status; what is left over is our own doing, such as a permission that is missing.

Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html#API_runtime_InvokeEndpoint_Errors
"""


def build_direct(uri: str, role: str, headers: Iterable[str]) -> dict[str, Any]:
    """Parameters, responses and integration of the operation."""
    names = (*PASSED_ALWAYS, *headers)
    return {
        "parameters": [build_header_parameter(name) for name in names],
        "responses": build_responses(RESPONSES),
        "x-amazon-apigateway-integration": {
            "type": "aws",
            "httpMethod": "POST",
            "uri": uri,
            "credentials": role,
            "passthroughBehavior": "when_no_match",
            "timeoutInMillis": GATEWAY_TIMEOUT_SECONDS * 1000,
            "requestParameters": {
                f"integration.request.header.{name}": f"method.request.header.{name}" for name in names
            },
            "responses": build_integration_responses(RESPONSES),
        },
    }
