"""What bodies model servers take, and which entries that makes part of the OpenAI-compatible paths. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from centralized_ml_api.plan.types import CommandServing, LlamaCppServing, SageMakerServing, UrlServing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from centralized_ml_api.config.schema import Speaks
    from centralized_ml_api.plan.types import ApiPlan, ModelDeployment, Serving

Task = Literal["chat", "embeddings"]

TASKS: dict[Speaks, Task] = {
    "openai-chat": "chat",
    "text-generation-inference": "chat",
    "text-inputs": "chat",
    "openai-embeddings": "embeddings",
    "text-embeddings-inference": "embeddings",
    "text-inputs-embeddings": "embeddings",
}
"""What a server of each kind is good for under `/v1`."""

_OPENAI_PATHS: dict[str, Speaks] = {
    "/v1/chat/completions": "openai-chat",
    "/v1/embeddings": "openai-embeddings",
}
"""A server that takes calls at one of these paths says by it what it speaks."""


@dataclass(frozen=True, slots=True)
class OpenAiModels:
    """The names of the entries behind `/v1/chat/completions` and `/v1/embeddings`, in config order."""

    chat: tuple[str, ...] = ()
    embeddings: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, as `/v1/models` lists them: those that chat first."""
        return (*self.chat, *self.embeddings)


def openai_models(spoken: Iterable[tuple[str, Speaks | None]]) -> OpenAiModels:
    """From pairs of an entry's name and what its server speaks."""
    tasks = [(name, TASKS[speaks]) for name, speaks in spoken if speaks]
    return OpenAiModels(
        chat=tuple(name for name, task in tasks if task == "chat"),
        embeddings=tuple(name for name, task in tasks if task == "embeddings"),
    )


def local_openai_models(plan: ApiPlan) -> OpenAiModels:
    """Those of one machine: only servers that speak OpenAI's own bodies, for nothing there translates."""
    spoken = [
        (one.name, one.local.speaks or _known_speaks(one, one.local.serving))
        for one in plan.deployments
        if one.local
    ]
    return openai_models((name, speaks) for name, speaks in spoken if speaks and speaks.startswith("openai-"))


def _known_speaks(deployment: ModelDeployment, serving: Serving) -> Speaks | None:
    """A real endpoint speaks the same on both targets."""
    return deployment.speaks if isinstance(serving, SageMakerServing) else serving_speaks(serving)


def serving_speaks(serving: Serving) -> Speaks | None:
    """What a local server speaks, as far as its engine or its path says."""
    match serving:
        case LlamaCppServing():
            return "openai-chat"
        case CommandServing(invocations=path):
            return _OPENAI_PATHS.get(path)
        case UrlServing(url=url):
            return _OPENAI_PATHS.get(urlsplit(url).path)
        case _:
            return None
