"""The paths at which the API tells about itself, in the OpenAPI document. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.paths import (
    CATALOGUE_PATH,
    HEALTH_PATH,
    OPENAPI_PATH,
    PAGE_PATH,
    PUBLIC_PATHS,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

Operation = dict[str, Any]

_OBJECT: Operation = {"application/json": {"schema": {"type": "object"}}}
_HTML: Operation = {"text/html": {"schema": {"type": "string"}}}


def build_own_operations(refusals: Mapping[str, Any]) -> dict[str, Operation]:
    """One GET each; `refusals` are the answers for callers without a key, where one is asked for."""
    unready = {"503": {"description": "Some models cannot answer now; it names them.", "content": _OBJECT}}
    return {
        PAGE_PATH: _get(PAGE_PATH, "show_page", "The page to try the models on", _HTML),
        CATALOGUE_PATH: _get(CATALOGUE_PATH, "show_catalogue", "What there is", _OBJECT, refusals),
        OPENAPI_PATH: _get(OPENAPI_PATH, "show_openapi", "This document", _OBJECT, refusals),
        HEALTH_PATH: _get(HEALTH_PATH, "show_health", "Which models can answer now", _OBJECT, unready),
    }


def _get(
    path: str, name: str, summary: str, content: Operation, more: Mapping[str, Any] | None = None
) -> Operation:
    answers = {"200": {"description": "It.", "content": content}, **(more or {})}
    everybody: Operation = {"security": []} if path in PUBLIC_PATHS else {}
    return {"get": {"operationId": name, "summary": summary, **everybody, "responses": answers}}
