"""The OpenAI-compatible paths: which there are, what `/v1/models` answers, the errors they add. Pure.

Source: https://platform.openai.com/docs/api-reference (chat, embeddings, models)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.error_shape import INVALID_REQUEST, NOT_FOUND, ApiError

if TYPE_CHECKING:
    from collections.abc import Iterable

CHAT_PATH = "/v1/chat/completions"
EMBEDDINGS_PATH = "/v1/embeddings"
MODELS_PATH = "/v1/models"
MODEL_PATH = f"{MODELS_PATH}/{{model}}"

MODEL_MISSING = ApiError(
    400,
    INVALID_REQUEST,
    "model_missing",
    'The body must be a JSON object that names one of this API\'s models as "model".',
)
UNKNOWN_MODEL = ApiError(404, NOT_FOUND, "model_not_found", "There is no such model at this path.")


def unknown_model(names: Iterable[str]) -> ApiError:
    """The 404 that lists the models of a path."""
    listed = ", ".join(names)
    return UNKNOWN_MODEL.saying(f"{UNKNOWN_MODEL.message} There are: {listed or 'none'}.")


def missing_model(names: Iterable[str]) -> ApiError:
    """The 400 that lists the models of a path."""
    listed = ", ".join(names)
    return MODEL_MISSING.saying(f"{MODEL_MISSING.message} There are: {listed or 'none'}.")


def build_model_list(names: Iterable[str]) -> dict[str, Any]:
    """The answer of `GET /v1/models`."""
    return {"object": "list", "data": [build_model(name) for name in names]}


def build_model(name: str) -> dict[str, Any]:
    """The answer of `GET /v1/models/{name}`. Nothing knows when a model was made, so `created` is 0."""
    return {"id": name, "object": "model", "created": 0, "owned_by": "centralized-ml-api"}
