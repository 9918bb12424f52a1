"""The paths of OpenAI's API: two that the streaming function answers, and the list of models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.openai import CHAT_PATH, EMBEDDINGS_PATH, MODELS_PATH, build_model_list
from centralized_ml_api.aws.document.mocks import build_fixed, build_other_methods, build_preflight

if TYPE_CHECKING:
    from collections.abc import Mapping

    from centralized_ml_api.plan.speaks import OpenAiModels

Operation = dict[str, Any]


def build_openai_paths(
    public: Mapping[str, Any], models: OpenAiModels, stream: Operation
) -> dict[str, Operation]:
    """The paths that these models need, none without any; `stream` is how their calls are answered."""
    paths = {path: _path("post", stream) for path in _posts(models)}
    if models.names:
        paths[MODELS_PATH] = _path("get", build_fixed(build_model_list(models.names)))
    for path, item in paths.items():
        for method in ("get", "post"):
            if method in item:
                item[method] = {"operationId": public["paths"][path][method]["operationId"], **item[method]}
    return paths


def list_openai_calls(models: OpenAiModels) -> list[str]:
    """Methods and paths of them, for people."""
    listing = [f"GET {MODELS_PATH}"] if models.names else []
    return [*(f"POST {path}" for path in _posts(models)), *listing]


def _posts(models: OpenAiModels) -> list[str]:
    tasks = ((CHAT_PATH, models.chat), (EMBEDDINGS_PATH, models.embeddings))
    return [path for path, names in tasks if names]


def _path(method: str, operation: Operation) -> Operation:
    return {
        method: operation,
        "options": build_preflight(),
        "x-amazon-apigateway-any-method": build_other_methods((method, "options")),
    }
