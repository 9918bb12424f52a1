"""What bodies model servers take, and which entries that makes part of the OpenAI-compatible paths. Pure.

What local engines speak is in `engines`; here is what the containers of JumpStart's models speak.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from centralized_ml_api.catalog.facts import ModelFacts
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

_WITHOUT_TOOLS: frozenset[Speaks] = frozenset({"text-generation-inference", "text-inputs"})
"""Chats whose bodies have no place for tools."""


@dataclass(frozen=True, slots=True)
class OpenAiModels:
    """The names of the entries behind `/v1/chat/completions` and `/v1/embeddings`, in config order.

    `takes_tools` says of an entry that chats whether its model can call tools, where that is known.
    """

    chat: tuple[str, ...] = ()
    embeddings: tuple[str, ...] = ()
    takes_tools: Mapping[str, bool] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, as `/v1/models` lists them: those that chat first."""
        return (*self.chat, *self.embeddings)

    def capabilities_of(self, name: str) -> dict[str, bool]:
        """Returns what an entry can do; what nobody knows is left out."""
        tasks = {"chat": name in self.chat, "embeddings": name in self.embeddings}
        tools = self.takes_tools.get(name) if tasks["chat"] else False
        return tasks if tools is None else {**tasks, "tools": tools}


def openai_models(spoken: Iterable[tuple[str, Speaks | None]]) -> OpenAiModels:
    """Builds them from pairs of an entry's name and what its server speaks."""
    known = [(name, speaks) for name, speaks in spoken if speaks]
    tasks = [(name, TASKS[speaks]) for name, speaks in known]
    return OpenAiModels(
        chat=tuple(name for name, task in tasks if task == "chat"),
        embeddings=tuple(name for name, task in tasks if task == "embeddings"),
        takes_tools={name: False for name, speaks in known if speaks in _WITHOUT_TOOLS},
    )


def local_openai_models(plan: ApiPlan) -> OpenAiModels:
    """Builds those of one machine: only servers that speak OpenAI's own bodies, since nothing translates."""
    spoken = [
        (entry.name, speaks)
        for entry in plan.deployments
        if (local := entry.local)
        for speaks in ((local.speaks,) if local.speaks else local.serving.find_speaks(entry.speaks))
    ]
    return openai_models((name, speaks) for name, speaks in spoken if speaks.startswith("openai-"))


_CONTAINERS: dict[str, Speaks] = {
    "tgi": "text-generation-inference",
    "djl": "text-generation-inference",
    "lmi": "text-generation-inference",
    "vllm": "openai-chat",
    "sglang": "openai-chat",
    "huggingface-pytorch-inference": "text-inputs",
}
"""What the containers of a family speak, by a word in the name of their image's repository.

Source: https://github.com/aws/deep-learning-containers/blob/master/available_images.md (families);
https://docs.djl.ai/master/docs/serving/serving/docs/lmi/user_guides/lmi_input_output_schema.html (LMI).
"""

_CHATTING = re.compile(r"(textgeneration\w*|llm|vlm|reasoning)\b")
_EMBEDDING = re.compile(r"(sentencesimilarity|textembedding|tcembedding)\b")
"""Tasks, as JumpStart's ids name them in their second word."""

_CHAT_KEYS: dict[str, Speaks] = {
    "messages": "openai-chat",
    "text_inputs": "text-inputs",
    "inputs": "text-generation-inference",
}
_EMBEDDING_KEYS: dict[str, Speaks] = {
    "text_inputs": "text-inputs-embeddings",
    "inputs": "text-embeddings-inference",
}
"""What a body with this key is written for: the publisher's examples say more than an image's name."""


def container_speaks(image: str | None) -> Speaks | None:
    """Returns what the server of a text generator speaks, by its image."""
    repository = _repository(image)
    return next((speaks for word, speaks in _CONTAINERS.items() if word in repository), None)


def model_speaks(facts: ModelFacts) -> Speaks | None:
    """Returns what a JumpStart model speaks; None where it neither chats nor embeds, or it is unknown."""
    if _CHATTING.match(facts.task):
        return _by_examples(facts, _CHAT_KEYS) or _chat_container(facts)
    if _EMBEDDING.match(facts.task):
        return _by_examples(facts, _EMBEDDING_KEYS) or _embedding_container(facts)
    return None


def _by_examples(facts: ModelFacts, keys: Mapping[str, Speaks]) -> Speaks | None:
    bodies = [payload.body for payload in facts.payloads if isinstance(payload.body, dict)]
    return next((speaks for key, speaks in keys.items() for body in bodies if key in body), None)


def _chat_container(facts: ModelFacts) -> Speaks | None:
    """Returns what it speaks: only JumpStart's first text generators have scripts for `text_inputs`."""
    speaks = container_speaks(facts.image)
    is_known = speaks != "text-inputs" or facts.task.startswith("textgeneration")
    return speaks if is_known else None


def _embedding_container(facts: ModelFacts) -> Speaks | None:
    repository = _repository(facts.image)
    if "tei" in repository.split("-"):
        return "text-embeddings-inference"
    return "text-inputs-embeddings" if "huggingface-pytorch-inference" in repository else None


def _repository(image: str | None) -> str:
    return (image or "").rpartition("/")[2].partition(":")[0]
