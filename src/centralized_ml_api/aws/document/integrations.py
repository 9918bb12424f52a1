"""Builds the operations behind paths: a SageMaker endpoint, a function, a stream, a fixed answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.http import PREFLIGHT_HEADERS
from centralized_ml_api.api.openapi import CUSTOM_ATTRIBUTES, build_header_parameter
from centralized_ml_api.aws.document.responses import (
    JSON,
    MadeResponse,
    PassedResponse,
    Response,
    build_integration_responses,
    build_responses,
)
from centralized_ml_api.aws.document.templates import (
    render_empty,
    render_fixed,
    render_model_error,
    render_not_now,
    render_refusal,
)
from centralized_ml_api.plan.types import BODY_LIMIT_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from centralized_ml_api.api.error_shape import ApiError

Operation = dict[str, Any]
PathItem = dict[str, Any]

INTEGRATION = "x-amazon-apigateway-integration"
ANY_METHOD = "x-amazon-apigateway-any-method"

PASSED_ALWAYS = ("Content-Type", "Accept")
"""Without a Content-Type, API Gateway says `application/json`, to us and to SageMaker.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/integration-passthrough-behaviors.html
"""

BODY_TOO_LARGE = errors.BODY_TOO_LARGE.with_message(
    "over_limit", megabytes=BODY_LIMIT_BYTES // 1024 // 1024, bytes=BODY_LIMIT_BYTES
)

_REFUSAL = MadeResponse("400", 400, render_refusal())
_REFUSAL_OF_SLEEPER = MadeResponse("400", 400, render_refusal(sleeps=True))

SAGEMAKER_RESPONSES: list[Response] = [
    PassedResponse(
        r"2\d{2}",
        200,
        # Unmapped, API Gateway calls every answer `application/json`, even an image.
        {name: f"integration.response.header.{name}" for name in ("Content-Type", CUSTOM_ATTRIBUTES)},
    ),
    _REFUSAL,
    MadeResponse("413", 413, render_fixed(BODY_TOO_LARGE)),
    MadeResponse("424", 424, render_model_error()),
    MadeResponse("429", 429, render_not_now()),
    MadeResponse("500|530", 500, render_fixed(errors.API_FAILED)),
    MadeResponse("503", 503, render_fixed(errors.MODEL_NOT_READY)),
    MadeResponse("504", 504, render_fixed(errors.MODEL_TOO_SLOW)),
    MadeResponse("default", 502, render_fixed(errors.MODEL_FAILED.with_message("endpoint_not_called"))),
]
"""By SageMaker's status; every other status is our own doing, such as a missing permission.

Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html#API_runtime_InvokeEndpoint_Errors
"""

COMPONENT_HEADER = "X-Amzn-SageMaker-Inference-Component"
"""The request header that names the inference component of an endpoint.

Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
"""

STREAM_MILLISECONDS = 900_000
"""How long API Gateway lets an answer stream.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode.html (15 minutes)
"""

_REQUEST_TYPES = (
    JSON,
    "application/octet-stream",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "text/plain",
)
"""The request types for which a mock has a template: there is no pattern that matches them all.

A request with a body of another type gets the gateway response UNSUPPORTED_MEDIA_TYPE. Only mocks have
templates, so that response says what `build_other_methods` says.
Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/integration-passthrough-behaviors.html
"""

MODEL_METHODS = ("post", "options")
"""The methods that the path of a model answers."""


def build_sagemaker(
    uri: str, role: str, headers: Iterable[str], timeout_seconds: int, component: str = ""
) -> Operation:
    """Builds `POST /{name}` straight to a SageMaker endpoint: bodies pass unchanged, errors in the one shape.

    Args:
        uri: The integration URI of the endpoint.
        role: The ARN of the role that calls it.
        headers: The request headers that pass besides Content-Type and Accept.
        timeout_seconds: How long the API waits for it.
        component: The inference component that each call names, for a model that may sleep.
    """
    names = [name for name in (*PASSED_ALWAYS, *headers) if not (component and name == COMPONENT_HEADER)]
    constant = {f"integration.request.header.{COMPONENT_HEADER}": f"'{component}'"} if component else {}
    responses = SAGEMAKER_RESPONSES
    if component:
        responses = [_REFUSAL_OF_SLEEPER if each is _REFUSAL else each for each in responses]
    return {
        "parameters": [build_header_parameter(name) for name in names],
        "responses": build_responses(responses),
        INTEGRATION: {
            "type": "aws",
            "httpMethod": "POST",
            "uri": uri,
            "credentials": role,
            "passthroughBehavior": "when_no_match",
            "timeoutInMillis": timeout_seconds * 1000,
            "requestParameters": {
                **{f"integration.request.header.{name}": f"method.request.header.{name}" for name in names},
                **constant,
            },
            "responses": build_integration_responses(responses),
        },
    }


def build_function(uri: str, role: str, timeout_seconds: int) -> Operation:
    """Builds `POST /{name}` to a Lambda function, which sees the whole request and makes the whole answer.

    The API calls the function by its own role, so no function needs a permission that names the API.

    Args:
        uri: The integration URI of the function.
        role: The ARN of the role that calls it.
        timeout_seconds: How long the API waits for it.
    """
    return _proxy(uri, role, {"timeoutInMillis": timeout_seconds * 1000})


def build_stream(service: str, function: str, role: str) -> Operation:
    """Builds an operation that the streaming function answers: its bytes reach the caller as they come.

    The path in the URI differs from that of a function whose answer comes in one piece.
    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html

    Args:
        service: `arn:<partition>:apigateway:<region>`.
        function: The ARN of the function.
        role: The ARN of the role that calls it.
    """
    uri = f"{service}:lambda:path/2021-11-15/functions/{function}/response-streaming-invocations"
    return _proxy(uri, role, {"responseTransferMode": "STREAM", "timeoutInMillis": STREAM_MILLISECONDS})


def build_path(operations: Mapping[str, Operation]) -> PathItem:
    """Builds a path with these operations, preflights, and 405 for every other method."""
    return {
        **operations,
        "options": build_preflight(),
        ANY_METHOD: build_other_methods((*operations, "options")),
    }


def build_preflight() -> Operation:
    """Builds the answer to a preflight, which has no body and no key: pages of any origin may call."""
    return _mock(MadeResponse("default", 204, render_empty(dict(PREFLIGHT_HEADERS))), (JSON,))


def build_other_methods(methods: Sequence[str]) -> Operation:
    """Builds the 405 with `Allow` for every method but these."""
    error, headers = refuse_method(methods)
    return _mock(MadeResponse("default", error.status, render_fixed(error, headers)))


def refuse_method(methods: Sequence[str]) -> tuple[ApiError, dict[str, str]]:
    """Returns the error for a method that is none of these, and the header that names them."""
    allow = ", ".join(method.upper() for method in methods)
    error = errors.METHOD_NOT_ALLOWED.with_message("listing", methods=allow)
    return error, {"Allow": allow}


def build_text(template: str) -> Operation:
    """Builds a 200 with the JSON that this template makes, and the headers of every answer."""
    return _mock(MadeResponse("default", 200, render_empty({}) + template))


def _proxy(uri: str, role: str, transfer: Mapping[str, Any]) -> Operation:
    return {
        "responses": {"200": {"description": ""}},
        INTEGRATION: {
            "type": "aws_proxy",
            "httpMethod": "POST",
            "uri": uri,
            "credentials": role,
            "passthroughBehavior": "when_no_match",
            **transfer,
        },
    }


def _mock(response: MadeResponse, request_types: Sequence[str] = _REQUEST_TYPES) -> Operation:
    """Builds an integration with nothing behind it: the request's template only names the status.

    A binary body must become text before a template can replace it.
    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-mock-integration.html
    """
    request = json.dumps({"statusCode": response.status})
    return {
        "responses": build_responses([response]),
        INTEGRATION: {
            "type": "mock",
            "passthroughBehavior": "never",
            "contentHandling": "CONVERT_TO_TEXT",
            "requestTemplates": dict.fromkeys(request_types, request),
            "responses": build_integration_responses([response]),
        },
    }
