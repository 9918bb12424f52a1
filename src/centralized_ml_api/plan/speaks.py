"""What bodies model servers take, and which entries that makes part of the OpenAI-compatible paths. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from centralized_ml_api.config.schema import Speaks
    from centralized_ml_api.plan.types import ApiPlan

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
        (entry.name, speaks)
        for entry in plan.deployments
        if (local := entry.local)
        for speaks in ((local.speaks,) if local.speaks else local.serving.find_speaks(entry.speaks))
    ]
    return openai_models((name, speaks) for name, speaks in spoken if speaks.startswith("openai-"))
