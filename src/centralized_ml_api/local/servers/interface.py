"""What stands behind an entry, seen from the gateway: where calls go and what the server understands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from centralized_ml_api.local.servers import llama_cpp
from centralized_ml_api.local.servers.url import parse_url
from centralized_ml_api.plan.types import (
    CommandServing,
    LlamaCppServing,
    PythonServing,
    SageMakerServing,
    UrlServing,
)

if TYPE_CHECKING:
    from centralized_ml_api.plan.types import Serving

ModelInterface = Literal["openai-chat", ""]
"""What bodies a model server takes: OpenAI's chat completions, or something that only its users know."""


def invocations_path(serving: Serving) -> str:
    """The path (and query) on the model server that takes calls."""
    match serving:
        case LlamaCppServing():
            return llama_cpp.INVOCATIONS_PATH
        case CommandServing():
            return serving.invocations
        case UrlServing():
            return parse_url(serving).path
        case PythonServing() | SageMakerServing():
            return "/invocations"


def model_speaks(serving: Serving) -> ModelInterface:
    """What the model server understands, for a function that translates to it."""
    return "openai-chat" if isinstance(serving, LlamaCppServing) else ""
