"""The paths of OpenAI's API: two that the streaming function answers, and the models as they are deployed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.openai import (
    CHAT_PATH,
    EMBEDDINGS_PATH,
    MODEL_PATH,
    MODELS_PATH,
    build_model,
    build_model_list,
    unknown_model,
)
from centralized_ml_api.api.openai_operations import MODEL_PARAMETER
from centralized_ml_api.aws.document.mocks import build_other_methods, build_preflight, build_text
from centralized_ml_api.aws.document.templates import render_body

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from centralized_ml_api.plan.speaks import OpenAiModels

Operation = dict[str, Any]

_OPERATIONS = ("get", "post")


def build_openai_paths(
    public: Mapping[str, Any], models: OpenAiModels, stream: Operation
) -> dict[str, Operation]:
    """The paths that these models need, none without any; `stream` is how their calls are answered."""
    paths = {path: _path("post", stream) for path in _posts(models)}
    if models.names:
        paths[MODELS_PATH] = _path("get", build_text(_as_text(build_model_list(models.names))))
        paths[MODEL_PATH] = _with_parameter(_path("get", build_text(_render_model(models.names))))
    return {path: _named(public["paths"][path], item) for path, item in paths.items()}


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


def _with_parameter(item: Operation) -> Operation:
    return {method: {"parameters": [MODEL_PARAMETER], **operation} for method, operation in item.items()}


def _named(public: Operation, item: Operation) -> Operation:
    """With the names that the participants' document gives its operations."""
    named = {one: {"operationId": public[one]["operationId"]} for one in _OPERATIONS if one in public}
    return {method: {**named.get(method, {}), **operation} for method, operation in item.items()}


def _render_model(names: Sequence[str]) -> str:
    """One of them by the end of the path, or a 404: a path for each would take a resource for each."""
    listed = "|".join(["", *names, ""])
    return (
        f'#set($n=$context.path.replaceAll(".*/",""))#set($all="{listed}")'
        f'#if(!$n.contains("|")&&$all.contains("|$n|")){_as_text(build_model("$n"))}'
        f"#else#set($context.responseOverride.status=404){render_body(unknown_model(names))}#end"
    )


def _as_text(value: Any) -> str:
    """As JSON. The names of entries hold nothing that the template language would act on."""
    return json.dumps(value, separators=(",", ":"))
