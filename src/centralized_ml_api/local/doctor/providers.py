"""Checks that providers take the organizer's keys and have the models of the config."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.servers.provider_keys import open_key
from centralized_ml_api.local.servers.provider_models import (
    KeyRefusedError,
    NotAskedError,
    check_provider_key,
    list_provider_models,
)
from centralized_ml_api.plan.finding import Finding
from centralized_ml_api.plan.provider import find_provider, find_provider_on_aws

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from centralized_ml_api.config.schema import Config
    from centralized_ml_api.plan.provider import ProviderServing


def check_providers(
    config: Config | None, folders: Sequence[Path], *, region: str | None = None
) -> Iterator[Finding]:
    """Yields, for each entry that a provider hosts, whether it can be called. Calls no model.

    Args:
        config: What was read; None if it does not have the shape of a config.
        folders: Where relative paths of key files may start, in order.
        region: That of a deployment to AWS, which calls what it calls there; None for this machine.
    """
    find = find_provider if region is None else find_provider_on_aws
    for entry in config.entries if config else ():
        serving = find(entry)
        if serving is not None:
            yield _check(entry.name, serving, folders, region)


def _check(name: str, serving: ProviderServing, folders: Sequence[Path], region: str | None) -> Finding:
    try:
        key = open_key(serving.key, folders, region).read() if serving.key else None
        is_known = check_provider_key(serving, key)
        models = list_provider_models(serving, key) if serving.preset.lists_models else None
    except (StartError, KeyRefusedError) as error:
        return Finding("provider", "error", f"{name}: {error.message}", fix=error.fix)
    except NotAskedError as error:
        return Finding("provider", "unknown", f"{name}: {error.message}", fix=error.fix)
    if models is not None and serving.model not in models:
        listed = ", ".join(models[:10]) + (", …" if len(models) > 10 else "")  # noqa: PLR2004  # a line of them
        title = f'{name}: {serving.title} has no model "{serving.model}" for this key'
        return Finding("provider", "error", title, f"it has {listed}" if listed else "", "correct `model`")
    if not is_known:
        title = f"{name}: {serving.title} answers; only a call can tell whether it takes the key"
        return Finding("provider", "unknown", title)
    took = f"{serving.title} takes the key" if serving.key else f"{serving.title} answers"
    title = f"{name}: {took}" + ("" if models is None else f" and has {serving.model}")
    return Finding("provider", "ok", title)
