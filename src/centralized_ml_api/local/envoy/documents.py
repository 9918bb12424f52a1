"""What the API tells about itself: texts that the gateway has whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.api.documents import METHODS
from centralized_ml_api.local.envoy.direct_responses import (
    Route,
    build_405_route,
    build_text_route,
    match_methods,
)
from centralized_ml_api.local.envoy.headers import build_header

if TYPE_CHECKING:
    from collections.abc import Iterable

    from centralized_ml_api.api.documents import ServedDocument


def build_documents_routes(documents: Iterable[ServedDocument]) -> list[Route]:
    """Two routes for each path: the text, and a 405 for other methods than reading."""
    return [route for one in documents for route in _document(one)]


def list_document_paths(documents: Iterable[ServedDocument]) -> list[str]:
    """Methods and paths of them, for people."""
    return [f"GET {one.path}" for one in documents]


def _document(document: ServedDocument) -> list[Route]:
    path = {"path": document.path}
    text = build_text_route(
        {**path, "headers": [match_methods(METHODS)]}, document.text, document.content_type
    )
    text["response_headers_to_add"] += [build_header(name, value) for name, value in document.headers]
    return [text, build_405_route(path, (*METHODS, "OPTIONS"))]
