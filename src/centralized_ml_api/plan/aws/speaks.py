"""What bodies the servers of JumpStart's models take, as far as its facts tell. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from centralized_ml_api.catalog.facts import ModelFacts
    from centralized_ml_api.config.schema import Speaks

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
    """What the server of a text generator speaks, by its image."""
    repository = _repository(image)
    return next((speaks for word, speaks in _CONTAINERS.items() if word in repository), None)


def model_speaks(facts: ModelFacts) -> Speaks | None:
    """What a JumpStart model speaks; None where it neither chats nor embeds, or nothing tells."""
    if _CHATTING.match(facts.task):
        return _by_examples(facts, _CHAT_KEYS) or _chat_container(facts)
    if _EMBEDDING.match(facts.task):
        return _by_examples(facts, _EMBEDDING_KEYS) or _embedding_container(facts)
    return None


def _by_examples(facts: ModelFacts, keys: Mapping[str, Speaks]) -> Speaks | None:
    bodies = [payload.body for payload in facts.payloads if isinstance(payload.body, dict)]
    return next((speaks for key, speaks in keys.items() for body in bodies if key in body), None)


def _chat_container(facts: ModelFacts) -> Speaks | None:
    """Only JumpStart's first text generators, which are named so, came with scripts for `text_inputs`."""
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
