"""Errors in the API's one shape, `{"error": {"message", "type", "code", "request_id"}}`.

The texts are those of `centralized_ml_api.api.error_shape`, which this process cannot import; a test compares
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
    """An error in place of the model's answer: `status` 400-599, and a message that the caller may see."""

    def __init__(self, status: int, kind: str, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.code = code
        self.message = message

    def body(self, reference: str) -> bytes:
        """Returns the body of the response; the log knows the call by its `reference`."""
        error = {"message": self.message, "type": self.kind, "code": self.code, "request_id": reference}
        return json.dumps({"error": error}).encode()


def build_reference() -> str:
    """Returns a new name for one call, short enough to read aloud."""
    return uuid.uuid4().hex[:12]


def unknown_path() -> Refusal:
    """Builds the error for any path that the server does not have."""
    return Refusal(404, NOT_FOUND, "unknown_path", "Nothing is served at this path.")


def wrong_method() -> Refusal:
    """Builds the error for a method that a path does not support."""
    return Refusal(405, INVALID_REQUEST, "method_not_allowed", "This path does not support this method.")


def unsupported_content_type(content_type: str, taken: str) -> Refusal:
    """Builds the error for a body of a type that the model does not accept."""
    message = f"This model accepts {taken}, not {content_type}."
    return Refusal(415, INVALID_REQUEST, "unsupported_media_type", message)


def form_not_accepted() -> Refusal:
    """Builds the error for a file in a form, which `curl -F` sends, and says how to send it."""
    message = (
        "This model does not accept forms (multipart/form-data): send the file itself as the body. "
        "With curl, write --data-binary @sample.wav -H 'Content-Type: audio/wav' instead of -F, "
        "with your file and its type."
    )
    return Refusal(415, INVALID_REQUEST, "unsupported_media_type", message)


def form_required(content_type: str) -> Refusal:
    """Builds the error for a body that is not a form, on a path that takes nothing else."""
    message = f"This path accepts a form with a file (multipart/form-data), not {content_type}."
    return Refusal(415, INVALID_REQUEST, "unsupported_media_type", message)


def not_acceptable(accept: str, given: str) -> Refusal:
    """Builds the error for a type of response that the model does not return."""
    message = f"This model returns {given}, not {accept}."
    return Refusal(406, INVALID_REQUEST, "not_acceptable", message)


def refused_input(reason: str) -> Refusal:
    """Builds the error for an input that the model does not accept."""
    return Refusal(400, INVALID_REQUEST, "model_refused", f"The model refused the input: {reason}")


def too_large(message: str) -> Refusal:
    """Builds the error for a body with more in it than one request may have."""
    return Refusal(413, INVALID_REQUEST, "body_too_large", message)


def refused_by_model(status: int, message: str) -> Refusal:
    """Builds the error whose status, 400-499, and message the model chose itself."""
    return Refusal(status, INVALID_REQUEST, "model_refused", message)


def model_broke(reference: str) -> Refusal:
    """Builds the error for a model that failed; its owner finds the cause in the log by the reference."""
    message = f"The model failed on this request. Its log has the reason under {reference}."
    return Refusal(500, MODEL, "model_failed", message)


def overloaded() -> Refusal:
    """Builds the error for more waiting calls than the model can answer in useful time."""
    return Refusal(503, UNAVAILABLE, "overloaded", "Too many requests at once; try again shortly.")


def stopping() -> Refusal:
    """Builds the error for a process that was told to end."""
    message = "The model is starting or being restarted; try again shortly."
    return Refusal(503, UNAVAILABLE, "model_not_ready", message)
