# ruff: noqa: INP001  a Lambda function's folder is not a package
"""Builds what the function returns to API Gateway. Pure."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "x-request-id,Retry-After",
}
"""With a Lambda proxy integration, the function itself must set these; web pages need them."""

RETRY_AFTER_SECONDS = 2
WAKING_RETRY_AFTER_SECONDS = 60
"""While a model wakes, which takes minutes."""
_BINARY = (
    "application/octet-stream",
    "application/pdf",
    "application/x-npy",
    "application/zip",
    "audio/",
    "image/",
    "multipart/form-data",
    "video/",
)


class Failure(Exception):  # noqa: N818  a response of the API, not a bug
    """An error response: `type` says who has to act, `code` names the case; both are stable."""

    def __init__(self, status: int, error_type: str, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error_type = error_type
        self.code = code

    def adding(self, sentence: str) -> Failure:
        """Returns the same failure, with a sentence after its message."""
        message = f"{str(self).rstrip('. ')}. {sentence}"
        return Failure(self.status, self.error_type, self.code, message)


@dataclass(frozen=True)
class Answer:
    """The model's response: bytes and headers."""

    body: bytes
    headers: dict[str, str]


def build_answer(answer: Answer) -> dict[str, Any]:
    """Returns a model's response unchanged: binary media types as base64, UTF-8 as text."""
    content_type = answer.headers.get("Content-Type", "").lower()
    headers = {**answer.headers, **CORS}
    if not content_type.startswith(_BINARY):
        try:
            return {"statusCode": 200, "headers": headers, "body": answer.body.decode()}
        except UnicodeDecodeError:
            pass
    body = base64.b64encode(answer.body).decode()
    return {"statusCode": 200, "headers": headers, "body": body, "isBase64Encoded": True}


def build_json_answer(value: Any) -> dict[str, Any]:
    """Returns the function's own response."""
    return {
        "statusCode": 200,
        "headers": {"Content-Type": "application/json", **CORS},
        "body": json.dumps(value, ensure_ascii=False),
    }


def build_error_answer(failure: Failure, request_id: str) -> dict[str, Any]:
    """Returns a failure in the API's error shape."""
    error = {
        "message": str(failure),
        "type": failure.error_type,
        "code": failure.code,
        "request_id": request_id,
    }
    seconds = WAKING_RETRY_AFTER_SECONDS if failure.code == "model_waking" else RETRY_AFTER_SECONDS
    retry = {"Retry-After": str(seconds)} if failure.status in {429, 503} else {}
    return {
        "statusCode": failure.status,
        "headers": {"Content-Type": "application/json", **retry, **CORS},
        "body": json.dumps({"error": error}),
    }
