"""The one shape of every error that the API itself answers, and the words it uses.

    {"error": {"message": "...", "type": "...", "code": "...", "request_id": "..."}}

`type` says whose move it is and is one of few; `code` names the case. Both are stable: clients may compare
them. `message` is for people and may change. A model's own error passes through in its own shape.

The nesting and the two words are those of OpenAI's API, so that its SDKs show the message.
Source: https://platform.openai.com/docs/guides/error-codes
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

INVALID_REQUEST = "invalid_request_error"
"""The caller must change the request."""
AUTHENTICATION = "authentication_error"
"""The caller must say who it is."""
PERMISSION = "permission_error"
"""The caller may not do this."""
RATE_LIMIT = "rate_limit_error"
"""The caller must wait for `Retry-After`."""
NOT_FOUND = "not_found_error"
"""The caller must change the address."""
UNAVAILABLE = "unavailable_error"
"""The caller may try again after `Retry-After`."""
MODEL = "model_error"
"""The model failed; its owner must look."""
API = "api_error"
"""The API itself failed; its owner must look."""
TIMEOUT = "timeout_error"
"""Something took too long."""
NOT_IMPLEMENTED = "not_implemented_error"
"""This deployment cannot serve it."""

RETRY_AFTER_SECONDS = 2
"""What `Retry-After` says with a 503: about how long a model server takes to come back."""


@dataclass(frozen=True, slots=True)
class ApiError:
    """One error of the API: its HTTP status, its two stable words and its message."""

    status: int
    type: str
    code: str
    message: str

    def saying(self, message: str) -> ApiError:
        """The same error with another message."""
        return replace(self, message=message)


BAD_REQUEST = ApiError(400, INVALID_REQUEST, "malformed_request", "The request is not well-formed HTTP.")
FORBIDDEN = ApiError(403, INVALID_REQUEST, "forbidden", "This kind of request is not allowed.")
UNKNOWN_PATH = ApiError(404, NOT_FOUND, "unknown_path", "Nothing is served at this path.")
METHOD_NOT_ALLOWED = ApiError(
    405, INVALID_REQUEST, "method_not_allowed", "This path does not answer this method."
)
REQUEST_TIMEOUT = ApiError(
    408, TIMEOUT, "request_timeout", "The request did not arrive in time; send it again."
)
UNKNOWN_CODING = ApiError(
    501, INVALID_REQUEST, "unknown_transfer_coding", "Of Transfer-Encoding, only chunked is understood."
)
BODY_TOO_LARGE = ApiError(413, INVALID_REQUEST, "body_too_large", "The request body is too large.")
UPGRADE_REQUIRED = ApiError(426, INVALID_REQUEST, "upgrade_required", "Use HTTP/1.1.")
HEADERS_TOO_LARGE = ApiError(
    431, INVALID_REQUEST, "headers_too_large", "The request line and headers are too large."
)
UNAUTHORIZED = ApiError(
    401,
    AUTHENTICATION,
    "unauthorized",
    "This call has no valid key: send your team's in the header x-api-key.",
)
NOT_ALLOWED = ApiError(
    403,
    PERMISSION,
    "not_allowed",
    "This key may not call this model; ask whoever runs this API which models your team may call.",
)
UNSUPPORTED_MEDIA_TYPE = ApiError(
    415, INVALID_REQUEST, "unsupported_media_type", "This path does not take this Content-Type."
)
TOO_MANY_REQUESTS = ApiError(
    429, RATE_LIMIT, "too_many_requests", "Too many requests; try again after a pause."
)
QUOTA_EXCEEDED = ApiError(429, RATE_LIMIT, "quota_exceeded", "The quota is used up.")
REFUSED_INPUT = ApiError(400, INVALID_REQUEST, "refused_by_sagemaker", "SageMaker refused the request.")
MODEL_REFUSED = ApiError(400, INVALID_REQUEST, "model_refused", "The model refused the input.")
REFUSED = ApiError(400, INVALID_REQUEST, "refused", "The request was refused.")
API_FAILED = ApiError(500, API, "api_failed", "The API failed.")
NOT_SERVED = ApiError(501, NOT_IMPLEMENTED, "not_served", "This deployment does not serve this model.")
MODEL_FAILED = ApiError(
    502,
    MODEL,
    "model_failed",
    "The model server closed the connection before its answer was complete, or answered something that is"
    " not HTTP.",
)
ENDPOINT_NOT_CALLED = "The model's endpoint could not be called; its operator finds the reason in the logs."
"""What `MODEL_FAILED` says where SageMaker gave no answer."""
ANSWER_TOO_LARGE = ApiError(
    502, MODEL, "answer_too_large", "The model's answer is larger than this API passes on."
)
MODEL_NOT_READY = ApiError(
    503, UNAVAILABLE, "model_not_ready", "The model is starting or being restarted; try again shortly."
)
OVERLOADED = ApiError(503, UNAVAILABLE, "overloaded", "Too many requests at once; try again shortly.")
MODEL_TOO_SLOW = ApiError(504, TIMEOUT, "model_too_slow", "The model did not answer in time.")


def build_error(error: ApiError, request_id: str) -> dict[str, dict[str, str]]:
    """The body of the answer, as a JSON-able dict. Pure."""
    return {
        "error": {
            "message": error.message,
            "type": error.type,
            "code": error.code,
            "request_id": request_id,
        }
    }


def render_error(error: ApiError, request_id: str) -> str:
    """The body of the answer, as ASCII JSON text: valid whatever characters the message has."""
    return json.dumps(build_error(error, request_id))
