"""Which models see pictures, as far as anybody has said it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.plan.sample import sample_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from centralized_ml_api.plan.types import ModelDeployment

_TASK = "vlm"
"""The task of such models, as JumpStart's ids name it."""


def find_local_vision(entries: Sequence[ModelDeployment]) -> dict[str, bool]:
    """Returns of entries on one machine whether they see; what the engine knows counts before the sample."""
    said = {entry.name: entry.local.serving.sees for entry in entries if entry.local}
    known = {name: sees for name, sees in said.items() if sees is not None}
    return {**find_vision(entries), **known}


def find_vision(
    entries: Sequence[ModelDeployment], tasks: Mapping[str, str] | None = None
) -> dict[str, bool]:
    """Returns the entries that see by their sample, or by JumpStart's task; nothing is known of others."""
    asked = tasks or {}
    return {entry.name: True for entry in entries if sees_pictures(sample_of(entry), asked.get(entry.name))}


def sees_pictures(sample: Any, task: str | None) -> bool:
    """Returns whether a chat takes pictures: its sample has one, or JumpStart's id says so."""
    messages = sample.get("messages") if isinstance(sample, dict) else None
    contents = [message.get("content") for message in messages or () if isinstance(message, dict)]
    parts = [part for content in contents if isinstance(content, list) for part in content]
    return task == _TASK or any(isinstance(part, dict) and part.get("type") == "image_url" for part in parts)
