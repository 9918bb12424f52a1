"""Why an entry answers 501 on this machine, and what its owner can write or do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from centralized_ml_api.local.servers.url import parse_url
from centralized_ml_api.local.weights import find_cached, render_bytes, size_of
from centralized_ml_api.plan.types import LlamaCppServing, PythonServing, UrlServing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from centralized_ml_api.config.weights import Weights
    from centralized_ml_api.plan.types import ModelDeployment

_EXAMPLE_CHAT = {"engine": "llama.cpp", "weights": "hf://owner/repo/model.gguf"}
_EXAMPLE_URL = {"engine": "url", "url": "http://gpu-box:8000/invocations"}
_CHAT_WORDS = ("textgeneration", "text-generation", "llm", "llama", "mistral", "gemma", "qwen", "gpt", "chat")


def why_not_served(deployment: ModelDeployment, folders: Sequence[Path]) -> str | None:
    """The message of the 501 that this entry answers; None when this machine serves it.

    May ask the web server of weights that are fetched by hand for their size, for a few seconds at most.

    Args:
        deployment: The entry.
        folders: Where relative paths of the config start.
    """
    name = deployment.name
    if deployment.local is None:
        return f"{name} is not served on this machine: its entry has no local block. {_suggest(deployment)}"
    serving = deployment.local.serving
    match serving:
        case (
            LlamaCppServing(fetch="manual", weights=weights) | PythonServing(fetch="manual", weights=weights)
        ):
            return _why_not_fetched(name, weights, folders) if weights else None
        case UrlServing():
            return _why_not_reached(name, serving)
    return None


def _suggest(deployment: ModelDeployment) -> str:
    """A local block that fits the entry: a language model can run here, anything else runs elsewhere."""
    example = json.dumps(_EXAMPLE_CHAT if _is_chat(deployment) else _EXAMPLE_URL)
    return f'For example, add to the entry: "local": {example}'


def _is_chat(deployment: ModelDeployment) -> bool:
    text = f"{deployment.name} {getattr(deployment.origin, 'model_id', '')}".lower()
    return any(word in text for word in _CHAT_WORDS)


def _why_not_reached(name: str, serving: UrlServing) -> str | None:
    try:
        parse_url(serving)
    except ValueError as exc:
        return f"{name} is not served on this machine: {exc}"
    return None


def _why_not_fetched(name: str, weights: Weights, folders: Sequence[Path]) -> str | None:
    if find_cached(weights, folders=folders):
        return None
    size_bytes = size_of(weights)
    size = render_bytes(size_bytes) if size_bytes is not None else "size unknown"
    return f"The weights of {name} ({size}) are not on this machine yet. Fetch them: mlapi pull {name}"
