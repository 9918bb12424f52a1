"""Routes that the gateway answers by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.local.envoy.headers import build_answer_headers, build_header
from centralized_ml_api.local.envoy.replies import (
    build_error_format,
    build_json_format,
    build_text_format,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Route = dict[str, Any]
"""One route of the table, as Envoy's configuration has it."""


def build_error_route(match: dict[str, Any], error: errors.ApiError) -> Route:
    """Answers one error."""
    return _direct(match, error.status, build_error_format(error))


def build_document_routes(
    path: dict[str, str],
    document: dict[str, Any],
    *,
    methods: Sequence[str] = ("GET",),
    status: int = 200,
    headers: Iterable[dict[str, Any]] = (),
) -> list[Route]:
    """Answers these methods of a path with a document, others with a 405.

    In the document the text `REQUEST_ID` stands for the id of the request.
    """
    answer = _direct({}, status, build_json_format(document))
    answer["response_headers_to_add"].extend(headers)
    asks = [{**answer, "match": {**path, "headers": [match_method(one)]}} for one in methods]
    return [*asks, build_405_route(path, (*methods, "OPTIONS"))]


def build_text_route(match: dict[str, Any], text: str, content_type: str) -> Route:
    """Answers 200 with exactly this text."""
    return _direct(match, 200, build_text_format(text, content_type))


def build_405_route(match: dict[str, Any], methods: Iterable[str]) -> Route:
    """Answers that the path takes only these methods."""
    allow = ", ".join(methods)
    route = build_error_route(match, errors.METHOD_NOT_ALLOWED.with_message("listing", methods=allow))
    route["response_headers_to_add"].append(build_header("allow", allow))
    return route


def match_method(method: str) -> dict[str, Any]:
    """The method of a request, as a header that a route matches."""
    return {"name": ":method", "string_match": {"exact": method}}


def match_methods(methods: Iterable[str]) -> dict[str, Any]:
    """Any of these methods, in the same form."""
    return {"name": ":method", "string_match": {"safe_regex": {"regex": "|".join(methods)}}}


def _direct(match: dict[str, Any], status: int, body_format: dict[str, Any]) -> Route:
    return {
        "match": match,
        "direct_response": {"status": status, "body_format": body_format},
        "response_headers_to_add": build_answer_headers(),
    }
