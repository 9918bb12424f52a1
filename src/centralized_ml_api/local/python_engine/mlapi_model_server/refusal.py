"""Errors in the one shape of the API, `{"error": {"message", "type", "code", "request_id"}}`.

The words are those of `centralized_ml_api.api.error_shape`, which this process cannot import; a test compares
them.
"""

from __future__ import annotations

import json
import uuid

INVALID_REQUEST = "invalid_request_error"
MODEL = "model_error"
NOT_FOUND = "not_found_error"
UNAVAILABLE = "unavailable_error"

RETRY_AFTER_SECONDS = 2


class Refusal(Exception):  # noqa: N818  it is an answer, not a fault
    """An answer that is not the model's: `status` 400-599 and words that the caller may see."""

    def __init__(self, status: int, kind: str, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.code = code
        self.message = message

    def body(self, reference: str) -> bytes:
        """The body of the answer; `reference` is what the log knows the call by."""
        words = {"message": self.message, "type": self.kind, "code": self.code, "request_id": reference}
        return json.dumps({"error": words}).encode()


def build_reference() -> str:
    """A new name for one call, short enough to read aloud."""
    return uuid.uuid4().hex[:12]


def unknown_path() -> Refusal:
    """Neither of the two paths."""
    return Refusal(404, NOT_FOUND, "unknown_path", "Nothing is served at this path.")


def wrong_method() -> Refusal:
    """A path of ours, asked with a method that it does not answer."""
    return Refusal(405, INVALID_REQUEST, "method_not_allowed", "This path does not answer this method.")


def unsupported_content_type(content_type: str, taken: str) -> Refusal:
    """The request's body is of a type that the model does not take."""
    message = f"This model takes {taken}, not {content_type}."
    return Refusal(415, INVALID_REQUEST, "unsupported_media_type", message)


def not_acceptable(accept: str, given: str) -> Refusal:
    """The request asks for an answer of a type that the model does not give."""
    message = f"This model answers {given}, not {accept}."
    return Refusal(406, INVALID_REQUEST, "not_acceptable", message)


def refused_input(reason: str) -> Refusal:
    """The model does not take this input."""
    return Refusal(400, INVALID_REQUEST, "model_refused", f"The model refused the input: {reason}")


def refused_by_model(status: int, message: str) -> Refusal:
    """The model chose the status, 400-499, and the words itself."""
    return Refusal(status, INVALID_REQUEST, "model_refused", message)


def model_broke(reference: str) -> Refusal:
    """The model failed; what happened is for its owner, who finds it by the reference."""
    message = f"The model failed on this request. Its log says why, under the reference {reference}."
    return Refusal(500, MODEL, "model_failed", message)


def overloaded() -> Refusal:
    """More calls wait than the model could answer in any useful time."""
    return Refusal(503, UNAVAILABLE, "overloaded", "Too many requests at once; try again shortly.")


def stopping() -> Refusal:
    """The process was told to end."""
    message = "The model is starting or being restarted; try again shortly."
    return Refusal(503, UNAVAILABLE, "model_not_ready", message)
