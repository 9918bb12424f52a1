"""Builds what API Gateway says when a request reaches no integration: the one error shape, with CORS.

These templates are not VTL: only `$context` variables are substituted.
Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html

Their headers are mapped from the same sources as those of a request to an integration, `context.` included.
Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-parameter-mapping-sources.html
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.aws.document.integrations import BODY_TOO_LARGE, MODEL_METHODS, refuse_method
from centralized_ml_api.aws.document.responses import EVERY_ANSWER, JSON
from centralized_ml_api.aws.document.templates import REQUEST_ID, render_body

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from centralized_ml_api.api.error_shape import ApiError

_API_MESSAGE = "$context.error.messageString"
"""API Gateway's own message, as a JSON string with its quotes."""

_QUOTA_SECONDS = 3600
"""A quota is full again at midnight UTC, but no template here can compute how long that is."""

_OTHER_METHOD, _OTHER_METHOD_HEADERS = refuse_method(MODEL_METHODS)

FIXED: dict[str, ApiError] = {
    "ACCESS_DENIED": errors.NOT_ALLOWED,
    "API_CONFIGURATION_ERROR": errors.API_FAILED,
    "AUTHORIZER_CONFIGURATION_ERROR": errors.API_FAILED,
    "AUTHORIZER_FAILURE": errors.API_FAILED,
    "BAD_REQUEST_BODY": errors.MALFORMED_REQUEST,
    "BAD_REQUEST_PARAMETERS": errors.MALFORMED_REQUEST,
    "EXPIRED_TOKEN": errors.NOT_ALLOWED,
    "INTEGRATION_FAILURE": errors.MODEL_FAILED,
    "INTEGRATION_TIMEOUT": errors.MODEL_TOO_SLOW,
    "INVALID_API_KEY": errors.NOT_ALLOWED,
    "INVALID_SIGNATURE": errors.NOT_ALLOWED,
    "QUOTA_EXCEEDED": errors.QUOTA_EXCEEDED,
    "REQUEST_TOO_LARGE": BODY_TOO_LARGE,
    "THROTTLED": errors.TOO_MANY_REQUESTS,
    "UNAUTHORIZED": errors.UNAUTHORIZED,
    "UNSUPPORTED_MEDIA_TYPE": _OTHER_METHOD,  # models take every type; only a mock does not
    "WAF_FILTERED": errors.NOT_ALLOWED,
}
"""The response types for which our own words say more than API Gateway's."""

_HEADERS: dict[str, Mapping[str, str]] = {
    "QUOTA_EXCEEDED": dict([("retry-after", str(_QUOTA_SECONDS)), errors.STOP_RETRYING]),
    "THROTTLED": {"retry-after": str(errors.RETRY_AFTER_SECONDS)},
    "UNAUTHORIZED": dict([errors.CHALLENGE]),
    "UNSUPPORTED_MEDIA_TYPE": _OTHER_METHOD_HEADERS,
}
"""The headers of a type besides those of every answer."""

UNKNOWN_PATH_TYPES = ("MISSING_AUTHENTICATION_TOKEN", "RESOURCE_NOT_FOUND")
"""The first is API Gateway's name for a path or a method that does not exist."""


def build_gateway_responses(calls: Iterable[str], timeout_seconds: int) -> dict[str, Any]:
    """Builds a response for each type; the 404s list these calls, such as `POST /a-model`."""
    too_slow = errors.MODEL_TOO_SLOW.with_message("after", seconds=timeout_seconds)
    unknown = errors.UNKNOWN_PATH.with_message("listing", paths=", ".join(calls))
    return {
        "DEFAULT_4XX": _response(_with_own_message(errors.REFUSED)),
        "DEFAULT_5XX": _response(_with_own_message(errors.API_FAILED)),
        **{kind: _fixed(kind, error) for kind, error in (FIXED | {"INTEGRATION_TIMEOUT": too_slow}).items()},
        **{kind: _fixed(kind, unknown) for kind in UNKNOWN_PATH_TYPES},
    }


def build_denial() -> dict[str, Any]:
    """Builds the response to a refused key where the authorizer says why.

    Without its words (a call that the policy of the API refuses first) they are empty: fixed words before
    them would change every other refusal, which is the same on both targets.
    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
    (`$context.authorizer.property`) and https://stackoverflow.com/questions/47921803 (in gateway responses)
    """
    said = "$context.authorizer."
    error = replace(errors.NOT_ALLOWED, type=f"{said}type", code=f"{said}code", message=f"{said}message")
    response = _response(render_body(error), dict([errors.STOP_RETRYING]))
    response["responseParameters"]["gatewayresponse.header.retry-after"] = "context.authorizer.retryAfter"
    return {"statusCode": str(error.status), **response}


def _fixed(kind: str, error: ApiError) -> dict[str, Any]:
    return {"statusCode": str(error.status), **_response(render_body(error), _HEADERS.get(kind))}


def _response(body: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    own = {name: f"'{value}'" for name, value in (headers or {}).items()}
    mapped = {f"gatewayresponse.header.{name}": value for name, value in (EVERY_ANSWER | own).items()}
    return {"responseParameters": mapped, "responseTemplates": {JSON: body}}


def _with_own_message(error: ApiError) -> str:
    """Renders an error with API Gateway's own message; its status stays too."""
    body = errors.build_error(error.saying("MESSAGE"), REQUEST_ID)
    return json.dumps(body).replace('"MESSAGE"', _API_MESSAGE)
