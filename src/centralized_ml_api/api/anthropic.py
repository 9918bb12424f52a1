"""The shape of errors under `/v1/messages`, which is that of Anthropic's API: its SDKs and agents read it.

    {"type": "error", "error": {"type": "...", "message": "..."}, "request_id": "..."}

Source: https://platform.claude.com/docs/en/api/errors
"""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from centralized_ml_api.plan.apis import MODEL_APIS

if TYPE_CHECKING:
    from centralized_ml_api.api.error_shape import ApiError

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

PATHS = re.compile(f"(/[^/]+)?{ERRORS_BELOW}(/.*)?")
"""The paths themselves, those of an entry's own, and all below."""


def render_error(error: ApiError, request_id: str) -> str:
    """Renders the body of an error of the API in this shape. Pure."""
    other = SERVER_ERROR if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR else CALLER_ERROR
    told = {"type": ERROR_TYPES.get(error.status, other), "message": error.message}
    return json.dumps({"type": "error", "error": told, "request_id": request_id})
