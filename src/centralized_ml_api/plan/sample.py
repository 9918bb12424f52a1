"""A request body that works for an entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.plan.model import LlamaCppServing

if TYPE_CHECKING:
    from centralized_ml_api.plan.model import ModelDeployment

CHAT_SAMPLE = {"messages": [{"role": "user", "content": "What is AWS?"}], "max_tokens": 64}


def sample_of(deployment: ModelDeployment) -> Any:
    """The config's sample, else one for what the local engine speaks, else None. Pure."""
    if deployment.sample is not None:
        return deployment.sample
    speaks_chat = deployment.local is not None and isinstance(deployment.local.serving, LlamaCppServing)
    return CHAT_SAMPLE if speaks_chat and deployment.function is None else None
