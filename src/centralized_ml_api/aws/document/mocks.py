"""What API Gateway answers by itself: preflights, other methods, texts that do not change."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.cors import PREFLIGHT_HEADERS
from centralized_ml_api.aws.document.response import (
    JSON,
    MadeResponse,
    build_integration_responses,
    build_responses,
)
from centralized_ml_api.aws.document.templates import render_empty, render_fixed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from centralized_ml_api.api.error_shape import ApiError

_REQUEST_TYPES = (
    JSON,
    "application/octet-stream",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "text/plain",
)
"""A template has to exist for the Content-Type of the request; there is no pattern for all of them.

A request of another type that has a body gets the gateway response for unsupported types; as nothing but
these answers takes templates, that one says what `build_other_methods` says.
Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/integration-passthrough-behaviors.html
"""

MODEL_METHODS = ("post", "options")
"""What the path of a model answers."""


def build_preflight() -> dict[str, Any]:
    """Any page of any origin may call; a preflight has no body and no key."""
    return _mock(MadeResponse("default", 204, render_empty(dict(PREFLIGHT_HEADERS))), (JSON,))


def build_other_methods(methods: Sequence[str]) -> dict[str, Any]:
    """405 with `Allow`, for every method but these."""
    error, headers = refuse_method(methods)
    return _mock(MadeResponse("default", error.status, render_fixed(error, headers)))


def refuse_method(methods: Sequence[str]) -> tuple[ApiError, dict[str, str]]:
    """The error for a method that is none of these, and the header that names them."""
    allow = ", ".join(method.upper() for method in methods)
    error = errors.METHOD_NOT_ALLOWED.with_message("listing", methods=allow)
    return error, {"Allow": allow}


def build_text(template: str) -> dict[str, Any]:
    """200 with the JSON that this template makes, and the headers of every answer."""
    return _mock(MadeResponse("default", 200, render_empty({}) + template))


def _mock(response: MadeResponse, request_types: Sequence[str] = _REQUEST_TYPES) -> dict[str, Any]:
    """An integration with nothing behind it: the request's template only names the status.

    A binary body has to become a text before a template can take its place.
    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-mock-integration.html
    """
    request = json.dumps({"statusCode": response.status})
    return {
        "responses": build_responses([response]),
        "x-amazon-apigateway-integration": {
            "type": "mock",
            "passthroughBehavior": "never",
            "contentHandling": "CONVERT_TO_TEXT",
            "requestTemplates": dict.fromkeys(request_types, request),
            "responses": build_integration_responses([response]),
        },
    }
