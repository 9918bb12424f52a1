"""The shape of errors under `/v1/messages`, which is that of Anthropic's API: its SDKs and agents read it.

    {"type": "error", "error": {"type": "...", "message": "..."}, "request_id": "..."}

Source: https://platform.claude.com/docs/en/api/errors
"""

from __future__ import annotations

from http import HTTPStatus

from centralized_ml_api.plan.apis import MODEL_APIS

(ERRORS_BELOW,) = (api.paths[0] for api in MODEL_APIS if api.error_shape == "anthropic")
"""Where errors have this shape: at this path and below."""

REQUEST_ID_HEADER = "request-id"
"""Where Anthropic's SDKs look for the request's id."""

ERROR_TYPES: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "authentication_error",
    HTTPStatus.FORBIDDEN: "permission_error",
    HTTPStatus.NOT_FOUND: "not_found_error",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "request_too_large",
    HTTPStatus.TOO_MANY_REQUESTS: "rate_limit_error",
    HTTPStatus.SERVICE_UNAVAILABLE: "overloaded_error",
    HTTPStatus.GATEWAY_TIMEOUT: "timeout_error",
}
"""The type of an error by its status."""

CALLER_ERROR = "invalid_request_error"
SERVER_ERROR = "api_error"
"""The types of all other statuses: of 4xx, and of 5xx."""
