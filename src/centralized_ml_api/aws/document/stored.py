"""`GET /` and what else the API tells about itself: texts in S3, passed on as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.documents import METHODS, ServedDocument
from centralized_ml_api.aws.document.mocks import build_other_methods, build_preflight
from centralized_ml_api.aws.document.response import (
    MadeResponse,
    PassedResponse,
    build_integration_responses,
    build_responses,
)
from centralized_ml_api.aws.document.templates import render_fixed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from centralized_ml_api.aws.document.response import Response

Operation = dict[str, Any]

_METHODS = tuple(method.lower() for method in METHODS)


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document, and its bucket and key as `<bucket>/<key>`."""

    document: ServedDocument
    place: str


def build_stored_paths(stored: Iterable[StoredDocument], service: str, role: str) -> dict[str, Operation]:
    """A path for each, which answers what reading asks for, and 405 to everything else.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/integrating-api-with-aws-services-s3.html

    Args:
        stored: where they lie.
        service: `arn:<partition>:apigateway:<region>`.
        role: the ARN of the role that may read them.
    """
    return {one.document.path: _path(one, f"{service}:s3:path/{one.place}", role) for one in stored}


def _path(stored: StoredDocument, uri: str, role: str) -> Operation:
    responses = _responses(stored.document)
    return {
        **{method: _read(method.upper(), uri, role, responses) for method in _METHODS},
        "options": build_preflight(),
        "x-amazon-apigateway-any-method": build_other_methods((*_METHODS, "options")),
    }


def _read(method: str, uri: str, role: str, responses: list[Response]) -> Operation:
    return {
        "responses": build_responses(responses),
        "x-amazon-apigateway-integration": {
            "type": "aws",
            "httpMethod": method,
            "uri": uri,
            "credentials": role,
            "passthroughBehavior": "when_no_match",
            "responses": build_integration_responses(responses),
        },
    }


def _responses(document: ServedDocument) -> list[Response]:
    """S3 knows these objects by no type of ours, so type and headers are said here."""
    said = {"content-type": document.content_type, **dict(document.headers)}
    headers = {name: f"'{value}'" for name, value in said.items()}
    return [
        PassedResponse("200", 200, headers, is_text=True),
        MadeResponse("default", errors.API_FAILED.status, render_fixed(errors.API_FAILED)),
    ]
