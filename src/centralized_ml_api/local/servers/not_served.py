"""Words why this machine does not serve an entry: the message of its 501."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from centralized_ml_api.commands import DEFAULT_CONFIG, command
from centralized_ml_api.local.weights import find_cached, render_bytes, size_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from centralized_ml_api.config.weights import Weights
    from centralized_ml_api.plan.types import ModelDeployment

_EXAMPLE_CHAT = {"engine": "llama.cpp", "weights": "hf://owner/repo/model.gguf"}
_EXAMPLE_URL = {"engine": "url", "url": "http://gpu-box:8000/invocations"}
_CHAT_WORDS = ("textgeneration", "text-generation", "llm", "llama", "mistral", "gemma", "qwen", "gpt", "chat")


def why_not_served(
    deployment: ModelDeployment, folders: Sequence[Path], config: Path | None = None
) -> str | None:
    """Returns the message of the 501 that an entry answers; None when this machine serves it.

    May ask the web server of weights that are fetched by hand for their size, for a few seconds at most.

    Args:
        deployment: The entry.
        folders: Where relative paths of the config start.
        config: The file that lists the entry; None for the one that a command takes by default.
    """
    name = deployment.name
    if deployment.local is None:
        return f"{name} is not served on this machine: its entry has no local block. {_suggest(deployment)}"
    serving = deployment.local.serving
    fault = serving.find_fault()
    if fault:
        return f"{name} is not served on this machine: {fault}"
    return (
        _why_not_fetched(name, serving.weights_to_fetch, folders, config) if serving.waits_for_pull else None
    )


def _suggest(deployment: ModelDeployment) -> str:
    """Suggests a local block: a language model can run here, anything else runs elsewhere."""
    text = f"{deployment.name} {getattr(deployment.origin, 'model_id', '')}".lower()
    is_chat = any(word in text for word in _CHAT_WORDS)
    example = json.dumps(_EXAMPLE_CHAT if is_chat else _EXAMPLE_URL)
    return f'For example, add to the entry: "local": {example}'


def _why_not_fetched(
    name: str, weights: Sequence[Weights], folders: Sequence[Path], config: Path | None
) -> str | None:
    missing = [file for file in weights if not find_cached(file, folders=folders)]
    if not missing:
        return None
    sizes = [size_of(file) for file in missing]
    known = [size for size in sizes if size is not None]
    size = f" ({render_bytes(sum(known))})" if len(known) == len(sizes) else ""
    is_default = config is None or config.absolute() == DEFAULT_CONFIG.absolute()
    fetch = command("pull", name, *([] if is_default else ["--config", config]))
    return f"The weights of {name}{size} are not on this machine yet. Fetch them: {fetch}"
