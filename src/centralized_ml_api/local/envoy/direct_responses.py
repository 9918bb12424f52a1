"""Routes that the gateway answers by itself: errors and documents."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.documents import METHODS
from centralized_ml_api.api.notices import PAUSE_HEADERS, build_pause_error
from centralized_ml_api.local.envoy.headers import REQUEST_ID, build_header, build_response_headers

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from centralized_ml_api.api.documents import ServedDocument

Route = dict[str, Any]
"""One route of the table, as Envoy's configuration has it."""


def build_error_route(match: dict[str, Any], error: errors.ApiError) -> Route:
    """Builds a route that answers with one error. Pure."""
    return _build_direct_response(match, error.status, build_error_body(error))


def build_paused_route(match: dict[str, Any], words: str) -> Route:
    """Builds a route that answers that the organizers have paused this, with their words. Pure."""
    route = build_error_route(match, build_pause_error(words))
    route["response_headers_to_add"] += [build_header(name, value) for name, value in PAUSE_HEADERS]
    return route


def build_405_route(match: dict[str, Any], methods: Iterable[str]) -> Route:
    """Builds a route that answers that the path takes only these methods. Pure."""
    allow = ", ".join(methods)
    route = build_error_route(match, errors.METHOD_NOT_ALLOWED.with_message("listing", methods=allow))
    route["response_headers_to_add"].append(build_header("allow", allow))
    return route


def build_json_routes(
    path: dict[str, str],
    document: dict[str, Any],
    *,
    methods: Sequence[str] = ("GET",),
    status: int = 200,
    headers: Iterable[dict[str, Any]] = (),
) -> list[Route]:
    """Builds the routes that answer these methods of a path with a document, and others with a 405. Pure.

    Args:
        path: The match on the path.
        document: JSON-able; the text `REQUEST_ID` in it stands for the id of the request.
        methods: The methods to answer.
        status: The status of the response.
        headers: Further headers of the response, as `build_header` makes them.
    """
    response = _build_direct_response({}, status, _build_json_body(document))
    response["response_headers_to_add"].extend(headers)
    answers = [{**response, "match": {**path, "headers": [match_method(method)]}} for method in methods]
    return [*answers, build_405_route(path, (*methods, "OPTIONS"))]


def build_document_routes(documents: Iterable[ServedDocument]) -> list[Route]:
    """Builds two routes per document: its text, and a 405 for methods that do not read. Pure."""
    routes = []
    for document in documents:
        path = {"path": document.path}
        match = {**path, "headers": [match_methods(METHODS)]}
        text = _build_direct_response(match, 200, _build_body(document.text, document.content_type))
        text["response_headers_to_add"] += [build_header(name, value) for name, value in document.headers]
        routes += [text, build_405_route(path, (*METHODS, "OPTIONS"))]
    return routes


def answer_callers(routes: Iterable[Route], callers: Iterable[dict[str, Any]]) -> list[Route]:
    """Returns the routes, each for the callers alone that one of these header matchers finds. Pure."""
    return [
        {**route, "match": {**route["match"], "headers": [*route["match"].get("headers", []), caller]}}
        for caller in callers
        for route in routes
    ]


def match_method(method: str) -> dict[str, Any]:
    """Builds a header matcher on the method of a request. Pure."""
    return {"name": ":method", "string_match": {"exact": method}}


def match_methods(methods: Iterable[str]) -> dict[str, Any]:
    """Builds a header matcher on any of these methods. Pure."""
    return {"name": ":method", "string_match": {"safe_regex": {"regex": "|".join(methods)}}}


def build_error_body(error: errors.ApiError) -> dict[str, Any]:
    """Builds the body format of one error, in the API's error shape. Pure."""
    return _build_json_body(dict(errors.build_error(error, REQUEST_ID)))


def _build_json_body(document: dict[str, Any]) -> dict[str, Any]:
    """Builds the body format of a document in which the text `REQUEST_ID` stands for the request's id."""
    body = _build_body(json.dumps(document), "application/json")
    source = body["text_format_source"]
    source["inline_string"] = source["inline_string"].replace(REQUEST_ID.replace("%", "%%"), REQUEST_ID)
    return body


def _build_body(text: str, content_type: str) -> dict[str, Any]:
    """Builds the body format of a literal text: `%` is doubled for Envoy's formatter."""
    return {
        "text_format_source": {"inline_string": text.replace("%", "%%")},
        "content_type": content_type,
    }


def _build_direct_response(match: dict[str, Any], status: int, body_format: dict[str, Any]) -> Route:
    return {
        "match": match,
        "direct_response": {"status": status, "body_format": body_format},
        "response_headers_to_add": build_response_headers(),
    }
