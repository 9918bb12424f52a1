"""Finds everything that would prevent serving a config on this machine, each with its fix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.load import examine_config
from centralized_ml_api.config.resolve import find_root
from centralized_ml_api.errors import StartError
from centralized_ml_api.local.doctor.bedrock import check_bedrock
from centralized_ml_api.local.doctor.machine import (
    check_disk,
    check_memory,
    check_port_is_free,
    check_watched_files,
)
from centralized_ml_api.local.doctor.programs import check_packages, check_programs, check_translator
from centralized_ml_api.local.doctor.providers import check_providers
from centralized_ml_api.local.keys import KeyStore
from centralized_ml_api.local.weights.cache import cache_root
from centralized_ml_api.plan.finding import Finding, build_config_findings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path


def examine(path: Path, wanted_port: int, state: Path, now: datetime) -> list[Finding]:
    """Returns all findings at once: problems of the config do not hide those of the machine.

    Args:
        path: The config.
        wanted_port: The port of the API; 0 for a free one.
        state: The state folder.
        now: The instant that the config's dates are compared with.
    """
    config, problems = examine_config(path, now=now)
    served = [entry.local for entry in config.entries if entry.local] if config else []
    return [
        *build_config_findings(path, problems),
        *check_programs(),
        check_port_is_free(wanted_port),
        *check_keys(state),
        check_memory(served),
        *check_watched_files(config),
        *check_packages(served),
        *check_translator(config),
        check_disk(cache_root(None)),
        *check_providers(config, (find_root(path), path.absolute().parent)),
        *check_bedrock(config),
    ]


def check_keys(state: Path) -> Iterator[Finding]:
    """Yields whether the team keys in a state folder can be used; nothing before `mlapi up` made any."""
    try:
        records = KeyStore(state).load()
    except StartError as error:
        yield Finding("keys", "error", error.message, fix=error.fix)
        return
    if records:
        yield Finding("keys", "ok", "the team keys can be read", f"{len(records)} in {state}")
