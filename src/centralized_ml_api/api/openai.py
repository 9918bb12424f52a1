"""The OpenAI-compatible paths: which exist, what `/v1/models` answers, the errors they add. Pure.

Source: https://platform.openai.com/docs/api-reference (chat, embeddings, models)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.error_shape import ERRORS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from centralized_ml_api.api.error_shape import ApiError

CHAT_PATH = "/v1/chat/completions"
EMBEDDINGS_PATH = "/v1/embeddings"
MODELS_PATH = "/v1/models"
MODEL_PATH = f"{MODELS_PATH}/{{model}}"

MODEL_MISSING = ERRORS["model_missing"]
MODEL_NOT_FOUND = ERRORS["model_not_found"]


def unknown_model(names: Iterable[str]) -> ApiError:
    """Builds the 404 that lists the models of a path."""
    return MODEL_NOT_FOUND.with_message("listing", models=", ".join(names) or "none")


def missing_model(names: Iterable[str]) -> ApiError:
    """Builds the 400 that lists the models of a path."""
    return MODEL_MISSING.with_message("listing", models=", ".join(names) or "none")


def build_model_list(names: Iterable[str]) -> dict[str, Any]:
    """Builds the answer of `GET /v1/models`."""
    return {"object": "list", "data": [build_model(name) for name in names]}


def build_model(name: str) -> dict[str, Any]:
    """Builds the answer of `GET /v1/models/{name}`. `created` is 0: it is unknown."""
    return {"id": name, "object": "model", "created": 0, "owned_by": "centralized-ml-api"}
