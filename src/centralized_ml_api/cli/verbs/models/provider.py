"""`mlapi models --provider NAME`: lists what the organizer's key may call at a provider."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from centralized_ml_api.cli import output
from centralized_ml_api.config.load import load_config
from centralized_ml_api.config.wording import listed
from centralized_ml_api.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from centralized_ml_api.plan.bedrock import BedrockServing
    from centralized_ml_api.plan.provider import ProviderServing


def list_of_provider(name: str, config: Path, words: tuple[str, ...], *, as_json: bool) -> None:
    """Prints the provider's names of the models, sorted.

    Args:
        name: The provider, or the entry that it hosts.
        config: The config that says where the key is kept.
        words: What every name shown must contain.
        as_json: Whether to print a JSON array.

    Raises:
        UsageError: The config names no such provider.
        StartError: The key cannot be read, or AWS cannot be called.
        KeyRefusedError: The provider refuses the key.
        NotAskedError: The provider does not answer.
    """
    from centralized_ml_api.plan.bedrock import find_bedrock
    from centralized_ml_api.plan.provider import find_provider

    loaded = load_config(config, now=datetime.now(UTC))
    hosted: dict[str, ProviderServing | BedrockServing] = {
        entry.name: found
        for entry in loaded.config.entries
        if (found := find_provider(entry) or find_bedrock(entry))
    }
    by_name = {serving.title: serving for serving in reversed(hosted.values())} | hosted
    serving = by_name.get(name)
    if serving is None:
        known = listed(dict.fromkeys(found.title for found in hosted.values()), "and")
        raise UsageError(
            f"{config} has no entry of the provider {name}" + (f", but of {known}" if known else ""),
            fix="name another one, or another config with --from",
        )
    listing = _list_models(serving, (loaded.root, loaded.path.parent))
    models = [model for model in listing if all(word.lower() in model.lower() for word in words)]
    if as_json:
        output.data_json(models)
    else:
        output.data("\n".join(models))


def _list_models(serving: ProviderServing | BedrockServing, folders: Sequence[Path]) -> list[str]:
    from centralized_ml_api.local.servers.bedrock_models import list_bedrock_models  # only who asks pays
    from centralized_ml_api.local.servers.provider_keys import open_key
    from centralized_ml_api.local.servers.provider_models import list_provider_models
    from centralized_ml_api.plan.bedrock import BedrockServing

    if isinstance(serving, BedrockServing):
        return list_bedrock_models(serving)
    key = open_key(serving.key, folders).read() if serving.key else None
    return list_provider_models(serving, key)
