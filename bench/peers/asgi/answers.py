"""The application's own responses."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

Headers = list[tuple[bytes, bytes]]

CORS: Headers = [(b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", b"*")]
PREFLIGHT: Headers = [
    (b"access-control-allow-methods", b"GET, HEAD, POST, OPTIONS"),
    (b"access-control-allow-headers", b"*, Authorization"),
    (b"access-control-max-age", b"7200"),
]


@dataclass(frozen=True, slots=True)
class Refusal:
    """The response to a call that is not forwarded, or that the model does not answer."""

    status: int
    type: str
    code: str
    message: str
    headers: tuple[tuple[bytes, bytes], ...] = ()

    def render(self, request_id: str) -> bytes:
        """Renders the body."""
        error = {"message": self.message, "type": self.type, "code": self.code, "request_id": request_id}
        body: bytes = orjson.dumps({"error": error})
        return body


class RefusedError(Exception):
    """Ends a call."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


UNKNOWN_PATH = Refusal(404, "not_found_error", "unknown_path", "Nothing is served at this path.")
METHOD = Refusal(
    405,
    "invalid_request_error",
    "method_not_allowed",
    "This path does not support this method.",
    ((b"allow", b"POST, OPTIONS"),),
)
UNAUTHORIZED = Refusal(401, "authentication_error", "unauthorized", "This request has no valid key.")
TOO_MANY = Refusal(
    429,
    "rate_limit_error",
    "too_many_requests",
    "Your team sends too many requests.",
    ((b"retry-after", b"1"),),
)
TOO_LARGE = Refusal(413, "invalid_request_error", "body_too_large", "The request body is larger than 6 MB.")
FAILED = Refusal(502, "model_error", "model_failed", "The model failed.")
NOT_READY = Refusal(
    503, "unavailable_error", "model_not_ready", "The model does not answer.", ((b"retry-after", b"2"),)
)
TOO_SLOW = Refusal(504, "timeout_error", "model_too_slow", "The model did not answer in time.")
